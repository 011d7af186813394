"""What Stripe told us, the payments that follow from it, and the packs of credits that are for sale."""

from billing.models.events import EventState, StripeEvent
from billing.models.packs import CreditPack
from billing.models.payments import Payment, PaymentStatus

__all__ = ["CreditPack", "EventState", "Payment", "PaymentStatus", "StripeEvent"]
