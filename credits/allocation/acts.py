"""The acts of the ledger, decided on a settled account. The rules in words: docs/ledger.md."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from credits.allocation.booking import book, close_hold, pay_debts, take
from credits.allocation.state import ZERO, Account, Debt, Draw, Entry, Hold, Lot, LotTerms, Original
from credits.amounts import MAX_BALANCE
from credits.errors import (
    AlreadyReinstated,
    CaptureTooLarge,
    ClawbackTooLarge,
    HoldClosed,
    InsufficientCredits,
    InvalidAmount,
    RefundTooLarge,
)
from credits.kinds import HoldState, TransactionKind


def add(account: Account, kind: TransactionKind, amount: Decimal, terms: LotTerms, *, now: datetime) -> Entry:
    """Let ``amount`` credits come in as one lot, which pays debt at once. Raises InvalidAmount."""
    _check_room(account, amount)
    lot = Lot(opened_seq=account.seq + 1, amount=amount, remaining=amount, terms=terms)
    entry = book(account, kind, amount, now=now, opens=[lot])
    pay_debts(account, account.debts)
    return entry


def spend(account: Account, kind: TransactionKind, amount: Decimal, *, now: datetime) -> Entry:
    """Take ``amount`` (more than 0) from what no hold occupies. Raises InsufficientCredits."""
    _check_available(account, amount)
    return book(account, kind, -amount, now=now, draws=take(account.free_of_holds(), amount))


def place_hold(account: Account, amount: Decimal, *, expires_at: datetime, reference: str) -> Hold:
    """Reserve ``amount`` until ``expires_at``. Raises InsufficientCredits."""
    _check_available(account, amount)
    hold = Hold(amount=amount, expires_at=expires_at, reference=reference)
    account.held += amount
    account.open_holds.append(hold)
    account.journal.new_holds.append(hold)
    return hold


def capture(account: Account, hold: Hold, amount: Decimal | None, *, now: datetime) -> None:
    """Spend ``amount`` of a hold, all of it unless told, and let the rest go. Raises HoldClosed, CaptureTooLarge.

    The hold of a demo customer reserves nothing, and nothing is spent of it.
    """
    _check_open(hold)
    wanted = amount if amount is not None and hold.amount else hold.amount
    if wanted > hold.amount:
        raise CaptureTooLarge(wanted=wanted, held=hold.amount)
    close_hold(account, hold, HoldState.CAPTURED, now=now)
    if not wanted:
        return
    # The held credits come first in draw order, also those that lapsed while they were held.
    draws = take(account.all_credits(), wanted)
    hold.captured = wanted
    hold.entry = book(account, TransactionKind.USAGE, -wanted, now=now, draws=draws)
    pay_debts(account, account.debts)


def release(account: Account, hold: Hold, *, now: datetime) -> None:
    """Let a hold go unspent. Raises HoldClosed."""
    _check_open(hold)
    close_hold(account, hold, HoldState.RELEASED, now=now)
    pay_debts(account, account.debts)


def give_back(
    account: Account,
    original: Original,
    kind: TransactionKind,
    amount: Decimal | None,
    *,
    now: datetime,
    grace_until: datetime,
) -> Entry:
    """Give back ``amount`` of an entry that took, all that is left of it unless told. Raises RefundTooLarge.

    What came from a lot that has lapsed comes back as a lot of its own, which lasts until ``grace_until``.
    """
    wanted = original.left if amount is None else amount
    if not ZERO < wanted <= original.left:
        raise RefundTooLarge(wanted=wanted, left=original.left)
    _check_room(account, wanted)
    opens: list[Lot] = []
    draws: list[Draw] = []
    for draw, given, part in _last_first(original.draws, after=original.undone, amount=wanted):
        if draw.lot.has_lapsed(now):
            opens.append(_part_of(account, draw.lot, given, part, expires_at=grace_until, ordinal=len(opens)))
        else:
            draws.append(Draw(draw.lot, -part))
    entry = book(account, kind, wanted, now=now, opens=opens, draws=draws)
    original.undone += wanted
    _list_again(account, draws)
    pay_debts(account, account.debts)
    return entry


def take_back(account: Account, original: Original, amount: Decimal | None, *, now: datetime) -> Entry:
    """Take back, by an adjustment, what is left of credits that came in free. Raises InsufficientCredits.

    It never touches other credits: what was spent of these, or is held, stays.
    """
    own = [part for part in account.free_of_holds() if part.lot.origin_id == original.lot_id]
    left = sum((part.amount for part in own), ZERO)
    wanted = left if amount is None else amount
    if not ZERO < wanted <= left:
        raise InsufficientCredits(needed=wanted or original.amount, available=left)
    return book(account, TransactionKind.ADJUSTMENT, -wanted, now=now, draws=take(own, wanted))


def claw_back(account: Account, purchase: Original, kind: TransactionKind, amount: Decimal, *, now: datetime) -> Entry:
    """Take back ``amount`` of a purchase: from its own lots, then from others; the rest is debt.

    Raises ClawbackTooLarge.
    """
    if amount > purchase.left:
        raise ClawbackTooLarge(wanted=amount, left=purchase.left)
    free = list(account.free_of_holds())
    own = [part for part in free if part.lot.origin_id == purchase.lot_id]
    others = [part for part in free if part.lot.origin_id != purchase.lot_id]
    draws = take([*own, *others], amount)
    missing = amount - sum((draw.amount for draw in draws), ZERO)
    entry = book(account, kind, -amount, now=now, draws=draws)
    purchase.undone += amount
    if missing:
        debt = Debt(entry=entry, amount=missing, remaining=missing)
        account.debt += missing
        account.debts.append(debt)
        account.journal.debts.append(debt)
    return entry


def reinstate(account: Account, clawback: Original, *, now: datetime, grace_until: datetime) -> Entry:
    """Give a whole clawback back: what it still misses without value, what it drew with the value it had.

    Raises AlreadyReinstated.
    """
    if clawback.undone:
        raise AlreadyReinstated("This was given back before.")
    _check_room(account, clawback.amount)
    debt = clawback.debt
    opens: list[Lot] = []
    if debt and debt.remaining:
        opens.append(_lot_of(account, clawback.lot_id, debt.remaining, LotTerms(), ordinal=0))
    # Settling may have paid some of the debt a moment ago.
    paid = [Draw(payment.lot, payment.amount) for payment in account.journal.payments if payment.debt is debt]
    for draw in reversed([*clawback.draws, *paid]):
        expires_at = grace_until if draw.lot.has_lapsed(now) else draw.lot.terms.expires_at
        opens.append(_part_of(account, draw.lot, ZERO, draw.amount, expires_at=expires_at, ordinal=len(opens)))
    entry = book(account, TransactionKind.REINSTATEMENT, clawback.amount, now=now, opens=opens)
    clawback.undone += clawback.amount
    own = [debt] if debt else []
    pay_debts(account, [*own, *(other for other in account.debts if other is not debt)])
    return entry


def _last_first(draws: Sequence[Draw], *, after: Decimal, amount: Decimal) -> Iterator[tuple[Draw, Decimal, Decimal]]:
    """Walk draws backwards, pass over ``after`` credits and hand out ``amount``: draw, given before, part."""
    passed, missing = after, amount
    for draw in reversed(draws):
        given = min(passed, draw.amount)
        passed -= given
        if part := min(draw.amount - given, missing):
            missing -= part
            yield draw, given, part


def _part_of(
    account: Account, lot: Lot, given: Decimal, part: Decimal, *, expires_at: datetime | None, ordinal: int
) -> Lot:
    """A new lot of ``part`` credits of ``lot``, with their share of what was paid."""
    paid, before = lot.value_of_first(given + part), lot.value_of_first(given)
    terms = replace(lot.terms, expires_at=expires_at, paid_minor=None if paid is None else paid - (before or 0))
    return _lot_of(account, lot.origin_id, part, terms, ordinal=ordinal)


def _lot_of(account: Account, parent_id: int | None, amount: Decimal, terms: LotTerms, *, ordinal: int) -> Lot:
    return Lot(
        opened_seq=account.seq + 1,
        ordinal=ordinal,
        amount=amount,
        remaining=amount,
        terms=terms,
        parent_id=parent_id,
    )


def _list_again(account: Account, draws: Sequence[Draw]) -> None:
    """Lots that were spent are not among those of the account until something comes back to them."""
    known = {id(lot) for lot in account.lots}
    for draw in draws:
        if id(draw.lot) not in known:
            account.insert_lot(draw.lot)


def _check_open(hold: Hold) -> None:
    if hold.state != HoldState.OPEN:
        raise HoldClosed(hold.state)


def _check_available(account: Account, amount: Decimal) -> None:
    if amount > account.balance - account.held:
        raise InsufficientCredits(needed=amount, available=account.available)


def _check_room(account: Account, amount: Decimal) -> None:
    if account.lots_total + amount > MAX_BALANCE:
        raise InvalidAmount("The balance would pass the largest one the ledger can carry.")
