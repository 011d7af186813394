"""Writing an entry into an account, and what follows from time alone."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from credits.allocation.state import ZERO, Account, Debt, DebtPayment, Draw, Entry, Hold, Lot
from credits.kinds import HoldState, TransactionKind

CONSUMPTION = (TransactionKind.USAGE, TransactionKind.REFUND)


def settle(account: Account, *, now: datetime) -> None:
    """What time has done: due holds expire, what they freed pays debt, and unheld lapsed credits are booked."""
    due = [hold for hold in account.open_holds if hold.expires_at <= now]
    for hold in due:
        close_hold(account, hold, HoldState.EXPIRED, now=now)
    if account.debt:
        pay_debts(account, account.debts)
    lapsed = [free for free in account.free_of_holds() if free.lot.has_lapsed(now)]
    for draw in lapsed:
        book(account, TransactionKind.EXPIRY, -draw.amount, now=now, draws=[draw])


def close_hold(account: Account, hold: Hold, state: HoldState, *, now: datetime) -> None:
    """Let go of what a hold reserved."""
    hold.state = state
    hold.closed_at = now
    account.held -= hold.amount
    account.open_holds.remove(hold)
    account.journal.closed_holds.append(hold)


def take(parts: Iterable[Draw], amount: Decimal) -> list[Draw]:
    """The first ``amount`` credits of ``parts``, or all of them if they hold less."""
    draws: list[Draw] = []
    missing = amount
    for part in parts:
        if missing <= 0:
            break
        draws.append(part if part.amount <= missing else Draw(part.lot, missing))
        missing -= draws[-1].amount
    return draws


def pay_debts(account: Account, debts: Sequence[Debt]) -> None:
    """Let what is free of holds pay ``debts``, in their order and in draw order."""
    for debt in debts:
        for draw in take(account.free_of_holds(), debt.remaining):
            draw.lot.remaining -= draw.amount
            debt.remaining -= draw.amount
            # The balance is lots less debt: both shrink alike and it stays.
            account.debt -= draw.amount
            account.journal.payments.append(DebtPayment(debt, draw.lot, draw.amount))
    account.debts = [debt for debt in account.debts if debt.remaining]


def book(
    account: Account,
    kind: TransactionKind,
    amount: Decimal,
    *,
    now: datetime,
    opens: Sequence[Lot] = (),
    draws: Sequence[Draw] = (),
) -> Entry:
    """Make the next entry of the account and move the account on by it."""
    entry = Entry(
        seq=account.seq + 1,
        kind=kind,
        amount=amount,
        balance_before=account.balance,
        balance_after=account.balance + amount,
        # A clock set back must not put an entry before its predecessor: as-of balances go by this time.
        created_at=max(now, account.last_posted_at) if account.last_posted_at else now,
        opens=opens,
        draws=draws,
    )
    account.seq = entry.seq
    account.balance = entry.balance_after
    account.last_posted_at = entry.created_at
    for lot in opens:
        account.insert_lot(lot)
    for draw in draws:
        draw.lot.remaining -= draw.amount
    _count(account, entry)
    account.journal.entries.append(entry)
    return entry


def start_period(account: Account, started_at: datetime) -> None:
    """Count consumption anew from the next entry on."""
    account.period_consumed = ZERO
    account.period_started_at = started_at
    account.period_seq = account.seq


def _count(account: Account, entry: Entry) -> None:
    if entry.kind == TransactionKind.PURCHASE:
        account.lifetime_purchased += entry.amount
    if entry.kind in CONSUMPTION:
        _follow_the_calendar(account, entry)
        account.lifetime_consumed -= entry.amount
        account.period_consumed -= entry.amount


def _follow_the_calendar(account: Account, entry: Entry) -> None:
    """Without an allowance the period is the calendar month, and the first entry of a month begins it."""
    if account.has_allowance:
        return
    started = account.period_started_at
    at = entry.created_at
    if started is None or (at.year, at.month) != (started.year, started.month):
        account.period_consumed = ZERO
        account.period_started_at = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        account.period_seq = entry.seq - 1
