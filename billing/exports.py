"""Payments as a file."""

from collections.abc import Sequence

from django.db.models import F

from audit.actions import Action
from backoffice.lib.csv import Column, PlainNumber, UtcText, major_units_of
from backoffice.lib.exports import Export
from billing import selectors


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
