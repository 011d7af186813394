"""An account as the core sees it: its open lots, holds and debts, and what was decided for it so far.

All amounts are credits. The objects name each other directly; ids are given by whoever writes them down.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from credits.kinds import HoldState, TransactionKind

ZERO = Decimal(0)
DEFAULT_PRIORITY = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class LotTerms:
    """What a lot is opened with. ``paid_minor`` is the total paid for it, in minor units of ``currency``."""

    priority: int = DEFAULT_PRIORITY
    expires_at: datetime | None = None
    paid_minor: int | None = None
    currency: str = ""


@dataclass(kw_only=True, eq=False, slots=True)
class Lot:
    """Credits that came in together. ``id`` is None while the lot exists only here.

    ``opened_seq`` is its age within the account; ``ordinal`` tells apart the lots that one entry opened.
    ``parent_id`` names the lot by which the credits first came in, if that is another one.
    """

    id: int | None = None
    opened_seq: int
    ordinal: int = 0
    amount: Decimal
    remaining: Decimal
    terms: LotTerms
    parent_id: int | None = None
    draw_order: tuple[int, bool, float, bool, int, int] = field(init=False)

    def __post_init__(self) -> None:
        expires_at = self.terms.expires_at
        self.draw_order = (
            self.terms.priority,
            expires_at is None,
            expires_at.timestamp() if expires_at else 0.0,
            bool(self.terms.paid_minor),
            self.opened_seq,
            self.id or self.ordinal,
        )

    def has_lapsed(self, now: datetime) -> bool:
        return self.terms.expires_at is not None and self.terms.expires_at <= now

    @property
    def origin_id(self) -> int | None:
        """The lot by which these credits first came in; None for one that is not written yet."""
        return self.parent_id or self.id

    def value_of_first(self, credits: Decimal) -> int | None:
        """What the first ``credits`` of this lot were paid, in minor units, rounded down; None if it was free."""
        if self.terms.paid_minor is None:
            return None
        return int(self.terms.paid_minor * credits // self.amount)


@dataclass(frozen=True, slots=True)
class Draw:
    """``amount`` credits taken from ``lot``; negative when they are given back."""

    lot: Lot
    amount: Decimal


@dataclass(kw_only=True, eq=False, slots=True)
class Entry:
    """A ledger entry to be written, with the lots it opens and the draws it makes."""

    id: int | None = None
    seq: int
    kind: TransactionKind
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    created_at: datetime
    opens: Sequence[Lot] = ()
    draws: Sequence[Draw] = ()


@dataclass(kw_only=True, eq=False, slots=True)
class Debt:
    """What the clawback ``entry`` could not find in the lots and still misses. A known one has only its id."""

    entry: Entry | int
    amount: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class DebtPayment:
    """``amount`` credits of ``lot`` that went to a debt: a draw of the entry that made it."""

    debt: Debt
    lot: Lot
    amount: Decimal


@dataclass(kw_only=True, eq=False, slots=True)
class Hold:
    """``amount`` credits reserved until ``expires_at`` for work that is running."""

    id: int | None = None
    amount: Decimal
    expires_at: datetime
    reference: str = ""
    state: HoldState = HoldState.OPEN
    captured: Decimal = ZERO
    closed_at: datetime | None = None
    entry: Entry | None = None


@dataclass(kw_only=True, eq=False, slots=True)
class Original:
    """An earlier entry that an act gives back or takes back.

    ``amount`` has no sign, ``undone`` is what later entries gave or took back of it. ``draws`` are in the order in
    which they were made. ``lot_id`` is the lot that the entry opened, of a clawback the one of its purchase.
    ``gave_back`` is true of one that itself undid another.
    """

    kind: TransactionKind
    adds: bool
    amount: Decimal
    undone: Decimal = ZERO
    draws: Sequence[Draw] = ()
    lot_id: int | None = None
    debt: Debt | None = None
    gave_back: bool = False

    @property
    def left(self) -> Decimal:
        return self.amount - self.undone


@dataclass(slots=True)
class Journal:
    """What was decided for an account and waits to be written."""

    entries: list[Entry] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    payments: list[DebtPayment] = field(default_factory=list)
    new_holds: list[Hold] = field(default_factory=list)
    closed_holds: list[Hold] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.entries or self.payments or self.new_holds or self.closed_holds)


@dataclass(kw_only=True, slots=True)
class Account:
    """An account as it stands under its lock; the acts move it on and write their decisions into the journal.

    ``lots`` are in draw order. ``open_holds`` may be left out of an account that holds nothing, ``debts`` (oldest
    first) of one that owes nothing.
    """

    user_id: int
    balance: Decimal = ZERO
    held: Decimal = ZERO
    debt: Decimal = ZERO
    seq: int = 0
    last_posted_at: datetime | None = None
    lifetime_purchased: Decimal = ZERO
    lifetime_consumed: Decimal = ZERO
    period_consumed: Decimal = ZERO
    period_started_at: datetime | None = None
    period_seq: int = 0
    has_allowance: bool = False
    lots: list[Lot] = field(default_factory=list)
    open_holds: list[Hold] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)

    @property
    def lots_total(self) -> Decimal:
        return self.balance + self.debt

    @property
    def available(self) -> Decimal:
        """What can be spent once the account is settled."""
        return max(ZERO, self.balance - self.held)

    def insert_lot(self, lot: Lot) -> None:
        insort(self.lots, lot, key=lambda lot: lot.draw_order)

    def free_of_holds(self) -> Iterator[Draw]:
        """All that no hold occupies, in draw order: holds occupy the first ``held`` credits together."""
        held = self.held
        for lot in self.lots:
            occupied = min(held, lot.remaining)
            held -= occupied
            if lot.remaining > occupied:
                yield Draw(lot, lot.remaining - occupied)

    def all_credits(self) -> Iterator[Draw]:
        """All that remains in the lots, in draw order, held or not."""
        return (Draw(lot, lot.remaining) for lot in self.lots if lot.remaining)
