"""What an account of the model is made of, and what an act on it answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

ZERO = Decimal(0)
NEVER = datetime.max.replace(tzinfo=UTC)
EntryName = tuple[int, int]
"""An entry goes by its customer and its number on that customer's account."""


@dataclass(eq=False)
class Draw:
    lot: "Lot"
    amount: Decimal


@dataclass(eq=False)
class Entry:
    user_id: int
    seq: int
    kind: str
    amount: Decimal
    balance_before: Decimal
    at: datetime
    reverses: "Entry | None" = None
    draws: list[Draw] = field(default_factory=list)

    @property
    def name(self) -> EntryName:
        return self.user_id, self.seq

    @property
    def balance_after(self) -> Decimal:
        return self.balance_before + self.amount


@dataclass(eq=False)
class Lot:
    number: int
    entry: Entry
    amount: Decimal
    remaining: Decimal
    priority: int
    expires_at: datetime | None
    paid_minor: int | None
    currency: str
    parent: "Lot | None" = None

    def has_lapsed(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def root(self) -> "Lot":
        """The lot by which these credits first came in."""
        return self.parent or self

    def worth_of_first(self, credits: Decimal) -> int | None:
        """In minor units; None for credits that nothing was paid for."""
        if self.paid_minor is None:
            return None
        return floor(Fraction(self.paid_minor) * Fraction(credits) / Fraction(self.amount))

    def worth_between(self, start: Decimal, end: Decimal) -> int | None:
        if self.paid_minor is None:
            return None
        return self.worth_of_first(end) - self.worth_of_first(start)


@dataclass(eq=False)
class Debt:
    entry: Entry
    amount: Decimal
    remaining: Decimal


@dataclass(eq=False)
class Hold:
    number: int
    user_id: int
    amount: Decimal
    expires_at: datetime
    state: str = "open"
    captured: Decimal = ZERO
    entry: Entry | None = None


@dataclass(eq=False)
class Account:
    user_id: int
    entries: list[Entry] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    @property
    def lots_total(self) -> Decimal:
        return sum((lot.remaining for lot in self.lots), ZERO)

    @property
    def debt(self) -> Decimal:
        return sum((debt.remaining for debt in self.debts), ZERO)

    @property
    def held(self) -> Decimal:
        return sum((hold.amount for hold in self.holds if hold.state == "open"), ZERO)

    @property
    def balance(self) -> Decimal:
        return self.lots_total - self.debt

    @property
    def spendable(self) -> Decimal:
        return self.balance - self.held

    def in_draw_order(self) -> list[Lot]:
        open_lots = [lot for lot in self.lots if lot.remaining > 0]
        return sorted(open_lots, key=_draw_rank)

    def occupied(self, lot: Lot) -> Decimal:
        """How much of this lot the open holds occupy: they take the first ``held`` credits in draw order."""
        before = ZERO
        for other in self.in_draw_order():
            if other is lot:
                return min(max(self.held - before, ZERO), lot.remaining)
            before += other.remaining
        return ZERO

    def free(self, lot: Lot) -> Decimal:
        return lot.remaining - self.occupied(lot)

    def open_debts(self) -> list[Debt]:
        return sorted((debt for debt in self.debts if debt.remaining > 0), key=lambda debt: debt.entry.seq)

    def reversals_of(self, entry: Entry) -> Iterator[Entry]:
        return (other for other in self.entries if other.reverses is entry)

    def lifetime_purchased(self) -> Decimal:
        return sum((entry.amount for entry in self.entries if entry.kind == "purchase"), ZERO)

    def consumed_by(self, entries: list[Entry]) -> Decimal:
        """Usage less refunds."""
        return -sum((entry.amount for entry in entries if entry.kind in ("usage", "refund")), ZERO)


def _draw_rank(lot: Lot) -> tuple[object, ...]:
    was_paid = bool(lot.paid_minor)
    return lot.priority, lot.expires_at or NEVER, was_paid, lot.entry.seq, lot.number


class Refused(Exception):
    """The act was refused. ``tells`` is the figure or state that the refusal names."""

    def __init__(self, code: str, tells: Decimal | str | None = None) -> None:
        super().__init__(code, tells)
        self.code = code
        self.tells = tells


@dataclass(frozen=True)
class Posted:
    """Answer of an act that makes an entry; ``seq`` is None where a demo customer was charged nothing."""

    seq: int | None
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    replayed: bool = False


@dataclass(frozen=True)
class Held:
    """Answer of an act on a hold; ``seq`` is that of the entry of a capture."""

    hold: int
    amount: Decimal
    state: str
    expires_at: datetime
    captured: Decimal
    seq: int | None
    replayed: bool = False


@dataclass(frozen=True)
class Refusal:
    code: str
    tells: Decimal | str | None = None


Answer = Posted | Held | Refusal
