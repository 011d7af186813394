"""Why a balance is what it is: the sum, the lots with what drew on them, holds, debts, and the past."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from credits import allocation
from credits.kinds import HoldState, TransactionKind
from credits.models import CreditAccount, CreditDebt, CreditDraw, CreditHold, CreditLot, CreditTransaction
from credits.selectors.balances import ZERO, balance_of, standing

LOTS_PER_PAGE = 25
SHOWN_DRAWS = 5
SHOWN_OBLIGATIONS = 50


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The account as booked, and what leads from its balance to what can be spent. Amounts are credits."""

    account: CreditAccount
    lapsed: Decimal
    held: Decimal
    available: Decimal

    @property
    def shortfall(self) -> Decimal:
        """By how much balance, lapsed and held would leave less than nothing."""
        return self.available - (self.account.balance - self.lapsed - self.held)


@dataclass(kw_only=True)
class LotLine:
    """A lot with the draws last made on it. ``worth_minor`` is what its remaining credits were paid."""

    lot: CreditLot
    occupied: Decimal = ZERO
    lapsed: Decimal = ZERO
    draws: list[CreditDraw] = field(default_factory=list)
    has_more_draws: bool = False

    @property
    def worth_minor(self) -> int | None:
        if self.lot.paid_minor is None:
            return None
        return int(self.lot.paid_minor * self.lot.remaining // self.lot.amount)


@dataclass(frozen=True, kw_only=True)
class LotPage:
    """Some lots, and the id after which the next page begins, if there is one."""

    lines: Sequence[LotLine]
    next_after: int | None


@dataclass(kw_only=True)
class DebtLine:
    debt: CreditDebt
    payments: list[CreditDraw] = field(default_factory=list)


def sum_of(account: allocation.Account) -> Sum:
    """How the balance of a settled account comes about; see ``standing``."""
    lapsed = sum((-e.amount for e in account.journal.entries if e.kind == TransactionKind.EXPIRY), ZERO)
    return Sum(account=balance_of(account.user_id), lapsed=lapsed, held=account.held, available=account.available)


def open_lots_page(account: allocation.Account, *, after: int | None) -> LotPage:
    """Lots with something left, in draw order, from after the lot ``after`` on; of a settled account."""
    ids = [lot.id for lot in account.lots if lot.id is not None]
    start = ids.index(after) + 1 if after in ids else 0
    wanted = ids[start : start + LOTS_PER_PAGE]
    rows = _lots().filter(is_open=True).in_bulk(wanted)
    occupied, left = _occupied(account), {lot.id: lot.remaining for lot in account.lots}
    lines = [
        LotLine(lot=rows[pk], occupied=occupied.get(pk, ZERO), lapsed=rows[pk].remaining - left[pk])
        for pk in wanted
        if pk in rows
    ]
    more = len(ids) > start + LOTS_PER_PAGE
    return LotPage(lines=_with_draws(lines), next_after=wanted[-1] if more else None)


def closed_lots_page(user_id: int, *, before: int | None) -> LotPage:
    """Lots with nothing left, the newest first, from below the id ``before`` on."""
    lots = _lots().filter(account=user_id, is_open=False).order_by("-pk")
    if before is not None:
        lots = lots.filter(pk__lt=before)
    rows = list(lots[: LOTS_PER_PAGE + 1])
    lines = [LotLine(lot=row) for row in rows[:LOTS_PER_PAGE]]
    more = len(rows) > LOTS_PER_PAGE
    return LotPage(lines=_with_draws(lines), next_after=lines[-1].lot.pk if more else None)


def open_holds(user_id: int, *, now: datetime) -> list[CreditHold]:
    """Holds that still reserve credits at ``now``, the oldest first."""
    holds = CreditHold.objects.filter(account=user_id, state=HoldState.OPEN, expires_at__gt=now)
    return list(holds.order_by("pk")[:SHOWN_OBLIGATIONS])


def debt_lines(user_id: int) -> list[DebtLine]:
    """Debts, the latest first, with what has paid them last."""
    debts = CreditDebt.objects.filter(account=user_id).select_related("transaction").order_by("-pk")
    lines = {debt.transaction_id: DebtLine(debt=debt) for debt in debts[:SHOWN_OBLIGATIONS]}
    paid = CreditDraw.objects.filter(transaction__in=lines, created_at__gt=F("transaction__debt__created_at"))
    for draw in _latest(paid, "transaction"):
        if len(lines[draw.transaction_id].payments) < SHOWN_DRAWS:
            lines[draw.transaction_id].payments.append(draw)
    return list(lines.values())


def last_entry(user_id: int, *, at: datetime) -> CreditTransaction | None:
    """The last entry that was made by ``at``: its ``balance_after`` was the balance then."""
    entries = CreditTransaction.objects.filter(account=user_id, created_at__lte=at)
    return entries.order_by("-created_at", "-id").first()


def explain(user_id: int, *, now: datetime) -> tuple[Sum, allocation.Account]:
    """The sum of an account at ``now``, and the settled account that it was taken from."""
    account = standing(user_id=user_id, now=now)
    return sum_of(account), account


def _lots() -> QuerySet[CreditLot]:
    return CreditLot.objects.select_related("transaction__actor", "transaction__reverses")


def _occupied(account: allocation.Account) -> dict[int | None, Decimal]:
    free = {part.lot.id: part.amount for part in account.free_of_holds()}
    return {lot.id: lot.remaining - free.get(lot.id, ZERO) for lot in account.lots}


def _with_draws(lines: list[LotLine]) -> list[LotLine]:
    by_lot = {line.lot.pk: line for line in lines}
    for draw in _latest(CreditDraw.objects.filter(lot__in=by_lot), "lot"):
        line = by_lot[draw.lot_id]
        line.has_more_draws = len(line.draws) == SHOWN_DRAWS
        if not line.has_more_draws:
            line.draws.append(draw)
    return lines


def _latest(draws: QuerySet[CreditDraw], group: str) -> Iterable[CreditDraw]:
    """The newest draws of each group, one more than is shown, in one query."""
    place = Window(RowNumber(), partition_by=[F(group)], order_by=F("pk").desc())
    return (
        draws.annotate(place=place)
        .filter(place__lte=SHOWN_DRAWS + 1)
        .select_related("transaction", "lot")
        .order_by("-pk")
    )
