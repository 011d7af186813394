"""What a customer has, and how it came about."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.fields.json import KT

from credits import allocation, loading
from credits.errors import UnknownHold
from credits.kinds import HoldState, TransactionKind
from credits.models import CreditAccount, CreditDebt, CreditDraw, CreditHold, CreditLot, CreditTransaction

ZERO = Decimal(0)


def balance_of(user_id: int) -> CreditAccount:
    """The customer's account; one without any entry reads as zeros."""
    return CreditAccount.objects.filter(pk=user_id).first() or CreditAccount(user_id=user_id)


def standing(*, user_id: int, now: datetime) -> allocation.Account:
    """The account as any act at ``now`` would find it: due holds expired, lapsed lots gone, debts paid.

    Nothing is written; see ``available``, ``lots``, ``free_of_holds`` of what it answers.
    """
    row = balance_of(user_id)
    account = loading.account(vars(row) | {"has_allowance": row.next_reset_at is not None})
    lots = CreditLot.objects.filter(account=user_id, is_open=True).annotate(opened_seq=F("transaction__seq"))
    for lot in lots.values():
        account.insert_lot(loading.lot(lot))
    if account.held:
        holds = CreditHold.objects.filter(account=user_id, state=HoldState.OPEN).order_by("pk")
        account.open_holds = [loading.open_hold(hold) for hold in holds.values()]
    if account.debt:
        debts = CreditDebt.objects.filter(account=user_id, remaining__gt=0).order_by("pk")
        account.debts = [loading.debt(debt) for debt in debts.values()]
    allocation.settle(account, now=now)
    return account


def consumed_in_period(account: allocation.Account, *, now: datetime) -> Decimal:
    """Usage less refunds since the running period began: that of the allowance, else the calendar month (UTC)."""
    began = account.period_started_at
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    # The first entry of a month begins it, and there may be none yet.
    return account.period_consumed if account.has_allowance or (began and began >= month) else ZERO


def balance_as_of(*, user_id: int, at: datetime) -> Decimal:
    """The balance as the ledger had it at ``at``: that of the last entry that was made by then."""
    entries = CreditTransaction.objects.filter(account=user_id, created_at__lte=at)
    last = entries.order_by("-created_at", "-id").values_list("balance_after", flat=True).first()
    return ZERO if last is None else last


def open_lots(account: allocation.Account) -> list[CreditLot]:
    """The rows of the lots that still have something, in the order in which they are spent."""
    remaining = {lot.id: lot.remaining for lot in account.lots if lot.remaining}
    rows = CreditLot.objects.select_related("transaction").in_bulk(remaining.keys())
    for pk, row in rows.items():
        row.remaining = remaining[pk]
    return [rows[pk] for pk in remaining]


def customers_due(*, now: datetime, after: int, limit: int) -> list[int]:
    """Ids, above ``after`` and in order, of customers with credits that lapsed or holds that expired by ``now``."""
    lapsed = CreditLot.objects.filter(is_open=True, expires_at__lte=now, account__gt=after)
    due = CreditHold.objects.filter(state=HoldState.OPEN, expires_at__lte=now, account__gt=after)
    found = lapsed.values_list("account_id", flat=True).union(due.values_list("account_id", flat=True))
    return list(found.order_by("account_id")[:limit])


def allowances_due(*, now: datetime, after: int, limit: int) -> list[int]:
    """Ids, above ``after`` and in order, of customers whose allowance period has ended by ``now``."""
    return list(_due_allowances(now).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:limit])


def allowances_of(user_ids: Sequence[int], *, now: datetime) -> list[CreditAccount]:
    """Those of these accounts whose allowance period has ended by ``now``."""
    return list(_due_allowances(now).filter(pk__in=user_ids))


def allowances_granted(user_ids: Collection[int], *, since: datetime) -> dict[tuple[int, str], Decimal]:
    """Credits granted to these customers since then, by customer and by the start of the period they are for."""
    grants = CreditTransaction.objects.filter(
        account__in=user_ids, kind=TransactionKind.ALLOWANCE, created_at__gte=since, metadata__has_key="period_start"
    )
    period = KT("metadata__period_start")
    sums = grants.annotate(period=period).values_list("account_id", "period").annotate(Sum("amount")).order_by()
    return {(user_id, starts_at): total for user_id, starts_at, total in sums}


def _due_allowances(now: datetime) -> QuerySet[CreditAccount]:
    # Within what is paid for; a subscription's next period begins with its next invoice instead.
    unpaid = Q(allowance_paid_until__isnull=False, allowance_paid_until__lte=F("next_reset_at"))
    return CreditAccount.objects.filter(next_reset_at__lte=now, user__demo_mode=False, user__is_staff=False).exclude(
        unpaid
    )


def ledger() -> QuerySet[CreditTransaction]:
    """All entries, with their customer and the member of staff."""
    return CreditTransaction.objects.select_related("account__user", "actor")


def lots_opened_by(entry: CreditTransaction) -> list[CreditLot]:
    """The lots that an entry opened, if it added credits."""
    return list(CreditLot.objects.filter(transaction=entry).order_by("pk"))


def draws_of(entry: CreditTransaction) -> QuerySet[CreditDraw]:
    """What an entry took from which lot."""
    return CreditDraw.objects.filter(transaction=entry).select_related("lot").order_by("pk")


def entries_of(user_id: int) -> QuerySet[CreditTransaction]:
    """A customer's entries by themselves."""
    return CreditTransaction.objects.filter(account_id=user_id)


def hold_at(*, hold_id: int, now: datetime) -> CreditHold:
    """A hold as any act at ``now`` would find it: expired once its time has come. Raises UnknownHold."""
    hold = CreditHold.objects.filter(pk=hold_id).first()
    if hold is None:
        raise UnknownHold(hold_id)
    if hold.state == HoldState.OPEN and hold.expires_at <= now:
        hold.state = HoldState.EXPIRED
    return hold


def with_entries(user_ids: Collection[int]) -> set[int]:
    """Those of these customers who have an entry in the ledger."""
    return set(CreditAccount.objects.filter(pk__in=user_ids, seq__gt=0).values_list("pk", flat=True))


def ledger_of(
    user_id: int, *, kind: str | None = None, start: datetime | None = None, end: datetime | None = None
) -> QuerySet[CreditTransaction]:
    """A customer's entries, newest first; of one kind, or booked from ``start`` until before ``end`` (UTC), if told."""
    entries = CreditTransaction.objects.filter(account_id=user_id).select_related("actor").order_by("-seq")
    if kind is not None:
        entries = entries.filter(kind=kind)
    if start is not None:
        entries = entries.filter(created_at__gte=start)
    return entries if end is None else entries.filter(created_at__lt=end)


def held_by(user_ids: Sequence[int], *, now: datetime) -> Decimal:
    """What is held of these customers together at ``now``."""
    open_holds = CreditHold.objects.filter(account__in=user_ids, state=HoldState.OPEN, expires_at__gt=now)
    return open_holds.aggregate(total=Sum("amount"))["total"] or ZERO
