"""How the states of people look."""

from django.utils.safestring import SafeString

from accounts.models import Status
from backoffice.lib.admin import display

STATUS_TONES: dict[str, display.Tone] = {Status.ACTIVE: "ok", Status.SUSPENDED: "warn", Status.BANNED: "bad"}


def status_badge(status: str) -> SafeString:
    """A status in a word."""
    return display.badge(Status(status).label, STATUS_TONES[status])
