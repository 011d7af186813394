"""Pages of billing."""

from billing.admin.events import StripeEventAdmin
from billing.admin.invoices import InvoiceAdmin
from billing.admin.money_back import DisputeAdmin, RefundAdmin
from billing.admin.packs import CreditPackAdmin
from billing.admin.payments import PaymentAdmin
from billing.admin.plans import PlanAdmin
from billing.admin.rates import ExchangeRateAdmin
from billing.admin.subscriptions import SubscriptionAdmin
from billing.admin.sync import SyncStateAdmin

__all__ = [
    "CreditPackAdmin",
    "DisputeAdmin",
    "ExchangeRateAdmin",
    "InvoiceAdmin",
    "PaymentAdmin",
    "PlanAdmin",
    "RefundAdmin",
    "StripeEventAdmin",
    "SubscriptionAdmin",
    "SyncStateAdmin",
]
