"""The pure core of the ledger: which entries a movement makes and which lots it draws. No database, no clock.

An account is a pile of lots. Adding opens a lot; taking draws the lots in draw order: by priority, then by the
earliest expiry (none last), then free before paid, then by age. Lots that have lapsed are booked as expiry first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from credits.amounts import MAX_BALANCE
from credits.errors import InsufficientCredits, InvalidAmount
from credits.kinds import TransactionKind

ZERO = Decimal(0)
DEFAULT_PRIORITY = 100


@dataclass(frozen=True, kw_only=True)
class LotTerms:
    """What a lot is opened with. ``paid_minor`` is the total paid for it, in minor units of ``currency``."""

    priority: int = DEFAULT_PRIORITY
    expires_at: datetime | None = None
    paid_minor: int | None = None
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A change that is asked for. ``amount`` is in credits, positive to add, negative to take."""

    kind: TransactionKind
    amount: Decimal
    terms: LotTerms = LotTerms()


@dataclass(kw_only=True)
class Lot:
    """An open lot. ``id`` is None while it exists only here; ``opened_seq`` is its age within the account."""

    id: int | None
    opened_seq: int
    amount: Decimal
    remaining: Decimal
    terms: LotTerms

    def has_lapsed(self, now: datetime) -> bool:
        return self.terms.expires_at is not None and self.terms.expires_at <= now

    @property
    def draw_order(self) -> tuple[int, bool, float, bool, int]:
        expires_at = self.terms.expires_at
        return (
            self.terms.priority,
            expires_at is None,
            expires_at.timestamp() if expires_at else 0.0,
            self.terms.paid_minor is not None,
            self.opened_seq,
        )


@dataclass(frozen=True)
class Draw:
    """``amount`` credits taken from ``lot``."""

    lot: Lot
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A ledger entry to be written, with the lot it opens or the draws it makes."""

    seq: int
    kind: TransactionKind
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    created_at: datetime
    opens: Lot | None = None
    draws: Sequence[Draw] = ()


@dataclass(kw_only=True)
class Account:
    """An account as it stands under its lock; the functions below move it on. Amounts are credits."""

    user_id: int
    balance: Decimal = ZERO
    seq: int = 0
    last_posted_at: datetime | None = None
    lifetime_purchased: Decimal = ZERO
    lifetime_consumed: Decimal = ZERO
    lots: list[Lot] = field(default_factory=list)

    @property
    def lots_total(self) -> Decimal:
        return sum((lot.remaining for lot in self.lots), ZERO)


def book_lapsed(account: Account, *, now: datetime) -> list[Entry]:
    """Take what is left of every lot that expired by ``now``, one expiry entry a lot, the earliest first."""
    lapsed = sorted(
        (lot for lot in account.lots if lot.remaining > 0 and lot.has_lapsed(now)),
        key=lambda lot: lot.draw_order,
    )
    return [
        _book(account, TransactionKind.EXPIRY, -lot.remaining, now=now, draws=[Draw(lot, lot.remaining)])
        for lot in lapsed
    ]


def post(account: Account, movement: Movement, *, now: datetime) -> Entry:
    """Decide one movement on an account without lapsed lots. Raises InsufficientCredits, InvalidAmount."""
    if movement.amount > 0:
        if account.balance + movement.amount > MAX_BALANCE:
            raise InvalidAmount("The balance would pass the largest one the ledger can carry.")
        lot = Lot(
            id=None,
            opened_seq=account.seq + 1,
            amount=movement.amount,
            remaining=movement.amount,
            terms=movement.terms,
        )
        return _book(account, movement.kind, movement.amount, now=now, opens=lot)
    needed = -movement.amount
    if needed > account.balance:
        raise InsufficientCredits(needed=needed, available=account.balance)
    draws = list(allocate(account.lots, needed))
    return _book(account, movement.kind, movement.amount, now=now, draws=draws)


def allocate(lots: Sequence[Lot], amount: Decimal) -> Iterator[Draw]:
    """Spread ``amount`` over ``lots`` in draw order. The lots must hold it."""
    missing = amount
    for lot in sorted(lots, key=lambda lot: lot.draw_order):
        if missing == 0:
            return
        if part := min(lot.remaining, missing):
            missing -= part
            yield Draw(lot, part)
    if missing:
        raise InsufficientCredits(needed=amount, available=amount - missing)


def _book(
    account: Account,
    kind: TransactionKind,
    amount: Decimal,
    *,
    now: datetime,
    opens: Lot | None = None,
    draws: Sequence[Draw] = (),
) -> Entry:
    # A clock set back must not put an entry before its predecessor: as-of balances go by this time.
    created_at = max(now, account.last_posted_at) if account.last_posted_at else now
    entry = Entry(
        seq=account.seq + 1,
        kind=kind,
        amount=amount,
        balance_before=account.balance,
        balance_after=account.balance + amount,
        created_at=created_at,
        opens=opens,
        draws=draws,
    )
    _move(account, entry)
    return entry


def _move(account: Account, entry: Entry) -> None:
    account.seq = entry.seq
    account.balance = entry.balance_after
    account.last_posted_at = entry.created_at
    if entry.opens:
        account.lots.append(entry.opens)
    for draw in entry.draws:
        draw.lot.remaining -= draw.amount
    if entry.kind == TransactionKind.PURCHASE:
        account.lifetime_purchased += entry.amount
    if entry.kind == TransactionKind.USAGE:
        account.lifetime_consumed -= entry.amount
