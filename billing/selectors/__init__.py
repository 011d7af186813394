"""Reads of billing."""

from billing.selectors.events import (
    BADGE_LIMIT,
    all_events_of_payment,
    events_about,
    events_needing_attention,
    events_of_invoice,
    events_of_payment,
    forgotten_among,
    held_up_among,
    inbox,
    last_events_of,
    newest_events_of,
    search_events,
    waits_for_customer,
)
from billing.selectors.invoices import (
    granting_invoices,
    invoice_of,
    invoices,
    invoices_named,
    latest_invoices,
    payments_of_invoice,
    search_invoices,
)
from billing.selectors.packs import packs_by_price
from billing.selectors.payments import (
    latest_payments,
    payment_behind,
    payment_of_intent,
    payments,
    payments_named,
    search_payments,
    spend_in_other_currencies,
    spend_of,
)
from billing.selectors.plans import period_began, plan_prices, plans_by_product
from billing.selectors.rates import rate
from billing.selectors.refunds import credits_taken_by_refund, refundable_minor

__all__ = [
    "BADGE_LIMIT",
    "all_events_of_payment",
    "credits_taken_by_refund",
    "events_about",
    "events_needing_attention",
    "events_of_invoice",
    "events_of_payment",
    "forgotten_among",
    "granting_invoices",
    "held_up_among",
    "inbox",
    "invoice_of",
    "invoices",
    "invoices_named",
    "last_events_of",
    "latest_invoices",
    "latest_payments",
    "newest_events_of",
    "packs_by_price",
    "payment_behind",
    "payment_of_intent",
    "payments",
    "payments_named",
    "payments_of_invoice",
    "period_began",
    "plan_prices",
    "plans_by_product",
    "rate",
    "refundable_minor",
    "search_events",
    "search_invoices",
    "search_payments",
    "spend_in_other_currencies",
    "spend_of",
    "waits_for_customer",
]
