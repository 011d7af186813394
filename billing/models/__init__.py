"""What Stripe told us, what follows from it, and what is for sale."""

from billing.models.events import EventSource, EventState, StripeEvent
from billing.models.invoices import Invoice
from billing.models.money_back import Dispute, Refund
from billing.models.packs import CreditPack
from billing.models.payments import Payment
from billing.models.plans import Plan, PlanPrice
from billing.models.rates import ExchangeRate
from billing.models.reconciliation import ReconciliationCount
from billing.models.statuses import (
    CreditPolicy,
    DisputeStatus,
    Interval,
    InvoiceStatus,
    PaymentStatus,
    RefundStatus,
    SubscriptionStatus,
)
from billing.models.subscriptions import Subscription, SubscriptionChange, SubscriptionItem
from billing.models.syncs import SyncState

__all__ = [
    "CreditPack",
    "CreditPolicy",
    "Dispute",
    "DisputeStatus",
    "EventSource",
    "EventState",
    "ExchangeRate",
    "Interval",
    "Invoice",
    "InvoiceStatus",
    "Payment",
    "PaymentStatus",
    "Plan",
    "PlanPrice",
    "ReconciliationCount",
    "Refund",
    "RefundStatus",
    "StripeEvent",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionItem",
    "SubscriptionStatus",
    "SyncState",
]
