"""States as badges, for every page that shows them."""

from django.utils.safestring import SafeString

from backoffice.lib.admin import display
from billing.models import EventState, PaymentStatus

EVENT_TONES: dict[str, display.Tone] = {
    EventState.RECEIVED: "info",
    EventState.PROCESSED: "ok",
    EventState.IGNORED: "mute",
    EventState.FAILED: "bad",
    EventState.PARKED: "warn",
}
PAYMENT_TONES: dict[str, display.Tone] = {
    PaymentStatus.PENDING: "info",
    PaymentStatus.SUCCEEDED: "ok",
    PaymentStatus.FAILED: "bad",
    PaymentStatus.CANCELED: "mute",
    PaymentStatus.REFUNDED: "mute",
    PaymentStatus.PARTIALLY_REFUNDED: "warn",
    PaymentStatus.DISPUTED: "bad",
}


def state_badge(state: str) -> SafeString:
    """The state of an event."""
    return display.badge(EventState(state).label, EVENT_TONES[state])


def status_badge(status: str) -> SafeString:
    """The status of a payment."""
    return display.badge(PaymentStatus(status).label, PAYMENT_TONES[status])
