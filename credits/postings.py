"""What is asked of the ledger and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from credits import allocation
from credits.amounts import check_amount
from credits.errors import CreditError, InvalidAmount, InvalidText
from credits.kinds import TransactionKind, sign_fits


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One movement to post. ``amount`` is in credits, positive to add, negative to take.

    ``idempotency_key`` carries its namespace, such as ``admin:gift:...``. ``paid_minor`` is the total paid for the
    credits, in minor units of ``currency``. ``event_at`` (UTC) is when the act happened, now unless told.
    """

    user_id: int
    kind: TransactionKind
    amount: Decimal
    idempotency_key: str
    action_type: str = ""
    description: str = ""
    reference: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event_at: datetime | None = None
    actor_id: int | None = None
    expires_at: datetime | None = None
    priority: int = allocation.DEFAULT_PRIORITY
    paid_minor: int | None = None
    currency: str = ""

    def movement(self) -> allocation.Movement:
        """What the core is asked to decide."""
        terms = allocation.LotTerms(
            priority=self.priority,
            expires_at=self.expires_at,
            paid_minor=self.paid_minor,
            currency=self.currency.upper(),
        )
        return allocation.Movement(kind=self.kind, amount=self.amount, terms=terms)


# What the columns of an entry hold.
LONGEST = {"idempotency_key": 255, "action_type": 64, "description": 500, "reference": 200}


def check(posting: Posting) -> None:
    """Raise InvalidAmount or InvalidText unless the ledger can hold this posting as it is."""
    check_amount(posting.amount.copy_abs())
    if not sign_fits(posting.kind, posting.amount > 0):
        raise InvalidAmount(f"A {posting.kind} cannot be {posting.amount}.")
    for name, longest in LONGEST.items():
        text = getattr(posting, name)
        if len(text) > longest:
            raise InvalidText(f"The {name} has at most {longest} characters.")
        if "\0" in text:
            raise InvalidText(f"The {name} holds a NUL, which no text may.")


@dataclass(frozen=True, kw_only=True)
class PostResult:
    """The entry that a posting made, or that it made the first time its key was used (``replayed``)."""

    transaction_id: int
    seq: int
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    replayed: bool = False


@dataclass(frozen=True)
class Rejection:
    """Why a posting was refused. It wrote nothing."""

    error: CreditError


Outcome = PostResult | Rejection
