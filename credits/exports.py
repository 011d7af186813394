"""The ledger and the balances as files."""

from collections.abc import Sequence
from datetime import UTC

from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce

from accounts.selectors import customer_list
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.csv import Column, PlainNumber, UtcText
from backoffice.lib.exports import Export
from credits import selectors
from credits.models.fields import CreditsField

EXPORT_LEDGER = "credits.export_ledger"
NONE = Value(0, output_field=CreditsField())


def _entries() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("User Email", "customer__email"),
        Column("Type", "kind"),
        Column("Amount", PlainNumber(F("amount"))),
        Column("Balance After", PlainNumber(F("balance_after"))),
        Column("Description", "description"),
        Column("Date", UtcText(F("created_at"))),
    )


def _balances() -> Sequence[Column]:
    # Who has no account yet reads as zeros.
    return (
        Column("email", "email"),
        Column("current_balance", PlainNumber(Coalesce(F("credit_account__balance"), NONE))),
        Column("current_month_consumed", PlainNumber(Coalesce(_consumed_in_period(), NONE))),
        Column("total_consumed", PlainNumber(Coalesce(F("credit_account__lifetime_consumed"), NONE))),
        Column("next_reset_at", UtcText(F("credit_account__next_reset_at"))),
    )


def _consumed_in_period() -> Case:
    """As ``selectors.consumed_in_period``: without an allowance, the first entry of a month begins its period."""
    month = clock.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    consumed = F("credit_account__current_period_consumed")
    return Case(
        When(credit_account__next_reset_at__isnull=False, then=consumed),
        When(credit_account__period_started_at__gte=month, then=consumed),
        default=NONE,
    )


TRANSACTIONS = Export(
    key="transactions",
    label="Ledger",
    permission=EXPORT_LEDGER,
    action=Action.LEDGER_EXPORTED,
    rows=selectors.ledger,
    columns=_entries,
    order=20,
)
BALANCES = Export(
    key="balances",
    label="Balances",
    permission=EXPORT_LEDGER,
    action=Action.BALANCES_EXPORTED,
    rows=customer_list,
    columns=_balances,
    order=30,
)
