"""How many credits of a purchase are to be taken back, and by which entries the ledger gets there. No I/O here.

What was taken follows from the state of the payment alone, never from what happened last: so refunds, disputes and
their ends may be told in any order, and any number of times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from credits.amounts import DECIMAL_PLACES
from credits.kinds import TransactionKind

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Clawback:
    """An entry that took ``amount`` credits of the purchase back and stands: it was not reinstated."""

    transaction_id: int
    kind: TransactionKind
    amount: Decimal


@dataclass(frozen=True)
class Reinstate:
    """Give a whole clawback back."""

    clawback: Clawback


@dataclass(frozen=True)
class Take:
    """Claw ``amount`` credits back, as ``kind`` says."""

    kind: TransactionKind
    amount: Decimal


def targets(
    *, credits: Decimal, paid_minor: int, returned_minor: int, disputed_minor: int
) -> Mapping[TransactionKind, Decimal]:
    """What should be taken back of ``credits`` that were bought for ``paid_minor``, by kind of clawback.

    In proportion to what went back, down to 4 places; in full exactly all of it. What was refunded and is disputed too
    is taken once.
    """
    reversal = _share(credits, returned_minor, paid_minor)
    chargeback = min(_share(credits, disputed_minor, paid_minor), credits - reversal)
    return {TransactionKind.REVERSAL: reversal, TransactionKind.CHARGEBACK: chargeback}


def steps(wanted: Mapping[TransactionKind, Decimal], standing: Sequence[Clawback]) -> list[Reinstate | Take]:
    """The way from the clawbacks that stand, in the order in which they were made, to what is wanted.

    A clawback is given back whole, the latest first, and what was too much in that is taken anew.
    """
    undone: list[Reinstate | Take] = []
    taken: list[Reinstate | Take] = []
    for kind, target in wanted.items():
        left = [clawback for clawback in standing if clawback.kind == kind]
        while sum((clawback.amount for clawback in left), ZERO) > target:
            undone.append(Reinstate(left.pop()))
        if missing := target - sum((clawback.amount for clawback in left), ZERO):
            taken.append(Take(kind, missing))
    # First all that gives back: together clawbacks never exceed the purchase, at no moment.
    return [*undone, *taken]


def _share(credits: Decimal, part_minor: int, whole_minor: int) -> Decimal:
    # In whole numbers, which neither round nor run out of digits.
    units = int(credits.scaleb(DECIMAL_PLACES))
    return Decimal(units * min(part_minor, whole_minor) // whole_minor).scaleb(-DECIMAL_PLACES)
