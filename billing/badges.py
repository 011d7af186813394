"""States as badges, for every page that shows them."""

from django.utils.safestring import SafeString

from backoffice.lib.admin import display
from billing.models import (
    DisputeStatus,
    EventState,
    InvoiceStatus,
    PaymentStatus,
    RefundStatus,
    Subscription,
    SubscriptionStatus,
)

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

REFUND_TONES: dict[str, display.Tone] = {
    RefundStatus.PENDING: "info",
    RefundStatus.REQUIRES_ACTION: "warn",
    RefundStatus.SUCCEEDED: "ok",
    RefundStatus.FAILED: "bad",
    RefundStatus.CANCELED: "mute",
}
DISPUTE_TONES: dict[str, display.Tone] = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: "warn",
    DisputeStatus.WARNING_UNDER_REVIEW: "info",
    DisputeStatus.WARNING_CLOSED: "mute",
    DisputeStatus.NEEDS_RESPONSE: "warn",
    DisputeStatus.UNDER_REVIEW: "info",
    DisputeStatus.PREVENTED: "mute",
    DisputeStatus.WON: "ok",
    DisputeStatus.LOST: "bad",
}


INVOICE_TONES: dict[str, display.Tone] = {
    InvoiceStatus.DRAFT: "mute",
    InvoiceStatus.OPEN: "warn",
    InvoiceStatus.PAID: "ok",
    InvoiceStatus.UNCOLLECTIBLE: "bad",
    InvoiceStatus.VOID: "mute",
}
SUBSCRIPTION_TONES: dict[str, display.Tone] = {
    SubscriptionStatus.INCOMPLETE: "warn",
    SubscriptionStatus.INCOMPLETE_EXPIRED: "mute",
    SubscriptionStatus.TRIALING: "info",
    SubscriptionStatus.ACTIVE: "ok",
    SubscriptionStatus.PAST_DUE: "bad",
    SubscriptionStatus.UNPAID: "bad",
    SubscriptionStatus.PAUSED: "warn",
    SubscriptionStatus.CANCELED: "mute",
}


def state_badge(state: str) -> SafeString:
    """The state of an event."""
    return display.badge(EventState(state).label, EVENT_TONES[state])


def status_badge(status: str) -> SafeString:
    """The status of a payment."""
    return display.badge(PaymentStatus(status).label, PAYMENT_TONES[status])


def refund_badge(status: str) -> SafeString:
    """The status of a refund."""
    return display.badge(RefundStatus(status).label, REFUND_TONES[status])


def dispute_badge(status: str) -> SafeString:
    """The status of a dispute."""
    return display.badge(DisputeStatus(status).label, DISPUTE_TONES[status])


def invoice_badge(status: str) -> SafeString:
    """The status of an invoice."""
    return display.badge(InvoiceStatus(status).label, INVOICE_TONES[status])


def subscription_badge(subscription: Subscription) -> SafeString:
    """The status of a subscription. One whose invoices are paused is active for Stripe, and earns nothing."""
    if subscription.pause_behavior and subscription.status == SubscriptionStatus.ACTIVE:
        return display.badge("Active, not collected", "warn")
    return display.badge(SubscriptionStatus(subscription.status).label, SUBSCRIPTION_TONES[subscription.status])
