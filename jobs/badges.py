"""States as badges, for every page that shows them."""

from django.utils.safestring import SafeString

from backoffice.lib.admin import display
from jobs.models import MessageState

MESSAGE_TONES: dict[str, display.Tone] = {
    MessageState.PENDING: "info",
    MessageState.SENT: "ok",
    MessageState.DEAD: "bad",
    MessageState.UNCONFIGURED: "mute",
}


def message_badge(state: str) -> SafeString:
    """The state of a message."""
    return display.badge(MessageState(state).label, MESSAGE_TONES[state])
