"""What the lists of lots, holds and debts ask for."""

from decimal import Decimal
from typing import TypeVar

from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from accounts.selectors import is_id
from backoffice.lib import clock
from credits.kinds import CLAWBACKS, TransactionKind
from credits.models import CreditDebt, CreditDraw, CreditHold, CreditLot, CreditTransaction, IntegrityRun

Row = TypeVar("Row", CreditLot, CreditHold, CreditDebt, CreditTransaction)


def lots() -> QuerySet[CreditLot]:
    """All lots, with their customer and what opened them."""
    return CreditLot.objects.select_related("account__user", "transaction__actor")


def given_by(reference: str) -> tuple[Decimal, Decimal]:
    """Credits that gifts of one reference gave, and what is left of their lots that have not lapsed."""
    gifts = CreditLot.objects.filter(transaction__reference=reference, source_kind=TransactionKind.GIFT)
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    sums = gifts.aggregate(given=Sum("amount"), left=Sum("remaining", filter=lasting))
    return sums["given"] or Decimal(0), sums["left"] or Decimal(0)


def holds() -> QuerySet[CreditHold]:
    """All holds, with their customer."""
    return CreditHold.objects.select_related("account__user")


def debts() -> QuerySet[CreditDebt]:
    """All debts, with their customer and the clawback that left them."""
    return CreditDebt.objects.select_related("account__user", "transaction")


def search(rows: QuerySet[Row], text: str, *, reference: str = "") -> QuerySet[Row]:
    """Rows of the customer with this email, of this number, or whose path ``reference`` is exactly this."""
    term = text.replace("\x00", "").strip()
    if not term:
        return rows
    if "@" in term:
        # The id first: by a join, the rows of a busy customer would be sorted whole.
        person = User.objects.with_email(term).values_list("pk", flat=True).first()
        return rows.filter(account_id=person) if person else rows.none()
    found = Q(**{reference: term}) if reference else Q(pk__in=[])
    if is_id(term):
        found |= Q(pk=int(term))
    return rows.filter(found)


def draws_on(lot: CreditLot) -> QuerySet[CreditDraw]:
    """What drew on a lot and what was given back to it, newest first."""
    return CreditDraw.objects.filter(lot=lot).select_related("transaction").order_by("-pk")


def payments_of(debt: CreditDebt) -> QuerySet[CreditDraw]:
    """What has paid a debt, in order: draws of its clawback that were made after it."""
    later = CreditDraw.objects.filter(transaction=debt.transaction_id, created_at__gt=debt.created_at)
    return later.select_related("lot").order_by("pk")


def debt_of(entry: CreditTransaction) -> CreditDebt | None:
    """The debt that an entry left, if it did."""
    return CreditDebt.objects.filter(transaction=entry).first()


def hold_captured_by(entry: CreditTransaction) -> CreditHold | None:
    """The hold that an entry captured, if it did."""
    return CreditHold.objects.filter(transaction=entry).first()


def reversed_by(entry: CreditTransaction) -> QuerySet[CreditTransaction]:
    """The entries that gave this one back or took it back, in order."""
    return CreditTransaction.objects.filter(reverses=entry).order_by("pk")


def clawbacks_of(purchase_id: int) -> list[tuple[CreditTransaction, bool]]:
    """The clawbacks of a purchase in order, each with whether it stands: it was not reinstated."""
    made = list(CreditTransaction.objects.filter(reverses=purchase_id, kind__in=CLAWBACKS).order_by("pk"))
    undoing = CreditTransaction.objects.filter(reverses__in=made, kind=TransactionKind.REINSTATEMENT)
    undone = set(undoing.values_list("reverses_id", flat=True)) if made else set()
    return [(entry, entry.pk not in undone) for entry in made]


def last_integrity_run() -> IntegrityRun | None:
    """The latest proof of the ledger."""
    return IntegrityRun.objects.defer("findings").order_by("-started_at", "-id").first()
