"""What each type of event does. A type that is not listed is kept and ignored."""

from collections.abc import Callable, Mapping

from billing.handlers.attempts import on_attempt
from billing.handlers.catalogue import PRICE_TYPES, PRODUCT_TYPES, on_price, on_product
from billing.handlers.customers import on_customer, on_customer_deleted
from billing.handlers.invoices import INVOICE_TYPES, on_invoice
from billing.handlers.money_back import DISPUTE_TYPES, REFUND_TYPES, on_charge_refunded, on_dispute, on_refund
from billing.handlers.payments import (
    on_charge,
    on_charge_changed,
    on_intent_succeeded,
    on_invoice_payment,
    on_session_completed,
)
from billing.handlers.subscriptions import DISCOUNT_TYPES, SUBSCRIPTION_TYPES, on_discount, on_subscription
from billing.models import StripeEvent
from billing.stripe_api import Answers

# Applies one event inside the transaction of its processing. Raises NotApplied, AnswerNeeded.
Handler = Callable[[StripeEvent, Answers], None]

HANDLERS: Mapping[str, Handler] = {
    "payment_intent.created": on_attempt,
    "payment_intent.processing": on_attempt,
    "payment_intent.requires_action": on_attempt,
    "payment_intent.amount_capturable_updated": on_attempt,
    "payment_intent.payment_failed": on_attempt,
    "payment_intent.canceled": on_attempt,
    "payment_intent.succeeded": on_intent_succeeded,
    "checkout.session.completed": on_session_completed,
    "checkout.session.async_payment_succeeded": on_session_completed,
    "charge.pending": on_attempt,
    "charge.failed": on_attempt,
    "charge.succeeded": on_charge,
    "charge.captured": on_charge,
    "charge.updated": on_charge_changed,
    "charge.refunded": on_charge_refunded,
    "invoice_payment.paid": on_invoice_payment,
    **dict.fromkeys(INVOICE_TYPES, on_invoice),
    "customer.created": on_customer,
    "customer.updated": on_customer,
    "customer.deleted": on_customer_deleted,
    **dict.fromkeys(REFUND_TYPES, on_refund),
    **dict.fromkeys(DISPUTE_TYPES, on_dispute),
    **dict.fromkeys(SUBSCRIPTION_TYPES, on_subscription),
    **dict.fromkeys(DISCOUNT_TYPES, on_discount),
    **dict.fromkeys(PRICE_TYPES, on_price),
    **dict.fromkeys(PRODUCT_TYPES, on_product),
}
