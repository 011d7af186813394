"""Payments, what went back of them, subscriptions, invoices and what is for sale, as files."""

from collections.abc import Sequence

from django.db.models import F, TextField
from django.db.models.functions import Cast

from audit.actions import Action
from backoffice.lib.csv import Column, PlainNumber, UtcText, major_units_of
from backoffice.lib.exports import Export
from billing import selectors
from billing.models import CreditPack, ExchangeRate, Plan


def _columns() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("User Email", "user__email"),
        Column("Amount", major_units_of("amount_minor", "currency")),
        Column("Currency", "currency"),
        Column("Credits", PlainNumber(F("credits_purchased"))),
        Column("Status", "status"),
        Column("Method", "payment_method_type"),
        Column("Stripe ID", "stripe_payment_id"),
        Column("Date", UtcText(F("paid_at"))),
        Column("Refunded", major_units_of("refunded_minor", "currency")),
        Column("Disputed", major_units_of("disputed_minor", "currency")),
        Column("Fee", major_units_of("fee_minor", "settlement_currency")),
        Column("Net", major_units_of("net_minor", "settlement_currency")),
        Column("Settlement Currency", "settlement_currency"),
        Column("Charge", "stripe_charge_id"),
        Column("Invoice", "stripe_invoice_id"),
    )


PAYMENTS = Export(
    key="payments",
    label="Payments",
    permission="billing.export_payments",
    action=Action.PAYMENTS_EXPORTED,
    rows=selectors.payments,
    columns=_columns,
    order=40,
)


def _subscription_columns() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("User Email", "user__email"),
        Column("Plan", "plan__name"),
        Column("Status", "status"),
        Column("MRR", major_units_of("mrr_minor", "currency")),
        Column("Currency", "currency"),
        Column("Stripe ID", "stripe_subscription_id"),
        Column("Started", UtcText(F("started_at"))),
        Column("Period End", UtcText(F("current_period_end"))),
        Column("Trial End", UtcText(F("trial_end"))),
        Column("Cancels At", UtcText(F("cancel_at"))),
        Column("Ended", UtcText(F("ended_at"))),
    )


SUBSCRIPTIONS = Export(
    key="subscriptions",
    label="Subscriptions",
    permission="billing.export_subscriptions",
    action=Action.SUBSCRIPTIONS_EXPORTED,
    rows=selectors.subscriptions,
    columns=_subscription_columns,
    order=42,
)


def _refund_columns() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("User Email", "payment__user__email"),
        Column("Amount", major_units_of("amount_minor", "payment__currency")),
        Column("Currency", "payment__currency"),
        Column("Status", "status"),
        Column("Credits", "policy"),
        Column("Reason", "reason"),
        Column("Asked For By", "actor__email"),
        Column("Stripe ID", "stripe_refund_id"),
        Column("Payment", "payment__stripe_payment_id"),
        Column("Date", UtcText(F("refunded_at"))),
        Column("Failed", UtcText(F("failed_at"))),
    )


REFUNDS = Export(
    key="refunds",
    label="Refunds",
    permission="billing.export_refunds",
    action=Action.REFUNDS_EXPORTED,
    rows=selectors.all_refunds,
    columns=_refund_columns,
    order=44,
)


def _dispute_columns() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("User Email", "payment__user__email"),
        Column("Amount", major_units_of("amount_minor", "payment__currency")),
        Column("Currency", "payment__currency"),
        Column("Status", "status"),
        Column("Reason", "reason"),
        Column("Fee", major_units_of("fee_minor", "fee_currency")),
        Column("Fee Currency", "fee_currency"),
        Column("Stripe ID", "stripe_dispute_id"),
        Column("Payment", "payment__stripe_payment_id"),
        Column("Opened", UtcText(F("opened_at"))),
        Column("Evidence Due", UtcText(F("evidence_due_at"))),
        Column("Closed", UtcText(F("closed_at"))),
    )


DISPUTES = Export(
    key="disputes",
    label="Disputes",
    permission="billing.export_disputes",
    action=Action.DISPUTES_EXPORTED,
    rows=selectors.all_disputes,
    columns=_dispute_columns,
    order=45,
)


def _invoice_columns() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("User Email", "user__email"),
        Column("Number", "number"),
        Column("Status", "status"),
        Column("Total", major_units_of("total_minor", "currency")),
        Column("Paid", major_units_of("amount_paid_minor", "currency")),
        Column("Currency", "currency"),
        Column("Stripe ID", "stripe_invoice_id"),
        Column("Subscription", "stripe_subscription_id"),
        Column("Issued", UtcText(F("issued_at"))),
        Column("Paid At", UtcText(F("paid_at"))),
    )


INVOICES = Export(
    key="invoices",
    label="Invoices",
    permission="billing.export_invoices",
    action=Action.INVOICES_EXPORTED,
    rows=selectors.invoices,
    columns=_invoice_columns,
    order=46,
)


def _pack_columns() -> Sequence[Column]:
    # Those of billing.catalogues, so that the file can be imported again.
    return (
        Column("id", "pk"),
        Column("name", "name"),
        Column("credits", PlainNumber(F("credits"))),
        Column("price", major_units_of("price_minor", "currency")),
        Column("currency", "currency"),
        Column("stripe_price_id", "stripe_price_id"),
        Column("is_active", Cast("is_active", TextField())),
        Column("position", "position"),
    )


PACKS = Export(
    key="packs",
    label="Credit packs",
    permission="billing.export_creditpacks",
    action=Action.PACKS_EXPORTED,
    rows=CreditPack.objects.all,
    columns=_pack_columns,
    formats=("csv", "json"),
    order=50,
)


def _plan_columns() -> Sequence[Column]:
    # Those of billing.catalogues, so that the file can be imported again.
    return (
        Column("id", "pk"),
        Column("key", "key"),
        Column("name", "name"),
        Column("monthly_credits", PlainNumber(F("monthly_credits"))),
        Column("trial_credits", PlainNumber(F("trial_credits"))),
        Column("stripe_product_id", "stripe_product_id"),
        Column("is_active", Cast("is_active", TextField())),
        Column("position", "position"),
    )


PLANS = Export(
    key="plans",
    label="Plans",
    permission="billing.export_plans",
    action=Action.PLANS_EXPORTED,
    rows=Plan.objects.all,
    columns=_plan_columns,
    formats=("csv", "json"),
    order=52,
)


def _rate_columns() -> Sequence[Column]:
    # Those of billing.catalogues, so that the file can be imported again.
    return (
        Column("date", Cast("date", TextField())),
        Column("base", "base"),
        Column("quote", "quote"),
        Column("rate", PlainNumber(F("rate"))),
    )


RATES = Export(
    key="rates",
    label="Exchange rates",
    permission="billing.export_exchangerates",
    action=Action.RATES_EXPORTED,
    rows=ExchangeRate.objects.all,
    columns=_rate_columns,
    formats=("csv", "json"),
    order=54,
)
