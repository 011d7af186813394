"""What can be asked of the ledger beside postings: giving back, clawing back, and reserving."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from credits import allocation
from credits.amounts import check_amount
from credits.errors import InvalidAmount, InvalidExpiry, NotReversible, UnknownHold, UnknownTransaction
from credits.kinds import CLAWBACKS, TransactionKind
from credits.postings import Ground, Note, Target, check_texts, plain

LONGEST_HOLD = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Reversing:
    """An act on an earlier entry. ``amount`` (credits) is all that is left of it unless told."""

    transaction_id: int
    idempotency_key: str
    amount: Decimal | None = None
    description: str = ""
    reference: str = ""
    actor_id: int | None = None

    @property
    def target(self) -> Target:
        return Target(transaction_id=self.transaction_id)

    def check(self) -> None:
        if self.amount is not None:
            check_amount(self.amount)
        check_texts(self)

    def content(self) -> list[Any]:
        name = type(self).__name__
        return [name, self.transaction_id, plain(self.amount), self.description, self.reference]

    def note(self) -> Note:
        return Note(
            description=self.description,
            reference=self.reference,
            actor_id=self.actor_id,
            reverses_id=self.transaction_id,
        )

    def _original(self, ground: Ground, *kinds: TransactionKind, refusal: str) -> allocation.Original:
        if ground.original is None:
            raise UnknownTransaction(self.transaction_id)
        if ground.original.kind not in kinds:
            raise NotReversible(refusal)
        return ground.original


@dataclass(frozen=True, kw_only=True)
class Refund(Reversing):
    """Give back a usage, or part of one. ``grace`` is how long credits last whose lot has lapsed since."""

    grace: timedelta

    def decide(self, ground: Ground) -> allocation.Entry:
        spent = self._original(ground, TransactionKind.USAGE, refusal="Only a usage can be refunded.")
        return allocation.give_back(
            ground.account,
            spent,
            TransactionKind.REFUND,
            self.amount,
            now=ground.now,
            grace_until=ground.now + self.grace,
        )


# What staff may take back by hand: everything that came in without a payment behind it.
FREE_ADDITIONS = (
    TransactionKind.GIFT,
    TransactionKind.BONUS,
    TransactionKind.REFERRAL,
    TransactionKind.REDEMPTION,
    TransactionKind.ALLOWANCE,
    TransactionKind.ADJUSTMENT,
)


@dataclass(frozen=True, kw_only=True)
class Reversal(Reversing):
    """Undo an entry by an adjustment: take back what is left of credits given, give back what was taken."""

    grace: timedelta

    def decide(self, ground: Ground) -> allocation.Entry:
        original = self._original(
            ground,
            *FREE_ADDITIONS,
            TransactionKind.EXPIRY,
            refusal="This entry cannot be reversed by hand: refund a usage, and a payment in Stripe.",
        )
        if original.gave_back:
            raise NotReversible("This entry gave something back: correct the balance by an adjustment instead.")
        if original.adds:
            return allocation.take_back(ground.account, original, self.amount, now=ground.now)
        return allocation.give_back(
            ground.account,
            original,
            TransactionKind.ADJUSTMENT,
            self.amount,
            now=ground.now,
            grace_until=ground.now + self.grace,
        )


@dataclass(frozen=True, kw_only=True)
class Clawback(Reversing):
    """Take back ``amount`` credits of a purchase whose payment was refunded (reversal) or disputed (chargeback)."""

    kind: TransactionKind

    def check(self) -> None:
        super().check()
        if self.kind not in CLAWBACKS or self.amount is None:
            raise InvalidAmount("A clawback is a reversal or a chargeback of a stated amount.")

    def content(self) -> list[Any]:
        return [*super().content(), self.kind]

    def decide(self, ground: Ground) -> allocation.Entry:
        purchase = self._original(ground, TransactionKind.PURCHASE, refusal="Only a purchase can be clawed back.")
        return allocation.claw_back(ground.account, purchase, self.kind, self.amount or purchase.left, now=ground.now)


@dataclass(frozen=True, kw_only=True)
class Reinstatement(Reversing):
    """Give a whole clawback back."""

    grace: timedelta

    def decide(self, ground: Ground) -> allocation.Entry:
        clawback = self._original(ground, *CLAWBACKS, refusal="Only a reversal or a chargeback can be reinstated.")
        return allocation.reinstate(ground.account, clawback, now=ground.now, grace_until=ground.now + self.grace)


@dataclass(frozen=True, kw_only=True)
class PlaceHold:
    """Reserve ``amount`` credits for ``expires_in``."""

    user_id: int
    amount: Decimal
    idempotency_key: str
    expires_in: timedelta
    reference: str = ""

    @property
    def target(self) -> Target:
        return Target(user_id=self.user_id)

    def check(self) -> None:
        check_amount(self.amount)
        check_texts(self)
        if not timedelta(0) < self.expires_in <= LONGEST_HOLD:
            raise InvalidExpiry("A hold lasts for more than 0 seconds and at most 30 days.")

    def content(self) -> list[Any]:
        return ["PlaceHold", self.user_id, plain(self.amount), self.reference, self.expires_in.total_seconds()]

    def note(self) -> Note:
        return Note()

    def decide(self, ground: Ground) -> allocation.Hold:
        ground.holder.check_may_spend(ground.now)
        return allocation.place_hold(
            ground.account,
            # A demo customer is never charged, and a product need not know.
            allocation.ZERO if ground.holder.is_demo else self.amount,
            expires_at=ground.now + self.expires_in,
            reference=self.reference,
        )


@dataclass(frozen=True, kw_only=True)
class CaptureHold:
    """Spend ``amount`` credits of a hold, all of it unless told."""

    hold_id: int
    idempotency_key: str
    amount: Decimal | None = None
    action_type: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event_at: datetime | None = None

    @property
    def target(self) -> Target:
        return Target(hold_id=self.hold_id)

    def check(self) -> None:
        if self.amount is not None:
            check_amount(self.amount)
        check_texts(self)

    def content(self) -> list[Any]:
        return [
            "CaptureHold",
            self.hold_id,
            plain(self.amount),
            self.action_type,
            self.description,
            self.metadata,
        ]

    def note(self) -> Note:
        return Note(
            action_type=self.action_type,
            description=self.description,
            metadata=self.metadata,
            event_at=self.event_at,
        )

    def decide(self, ground: Ground) -> allocation.Hold:
        hold = _hold(ground, self.hold_id)
        allocation.capture(ground.account, hold, self.amount, now=ground.now)
        return hold


@dataclass(frozen=True, kw_only=True)
class ReleaseHold:
    """Let a hold go unspent."""

    hold_id: int
    idempotency_key: str

    @property
    def target(self) -> Target:
        return Target(hold_id=self.hold_id)

    def check(self) -> None:
        check_texts(self)

    def content(self) -> list[Any]:
        return ["ReleaseHold", self.hold_id]

    def note(self) -> Note:
        return Note()

    def decide(self, ground: Ground) -> allocation.Hold:
        hold = _hold(ground, self.hold_id)
        allocation.release(ground.account, hold, now=ground.now)
        return hold


def _hold(ground: Ground, hold_id: int) -> allocation.Hold:
    if ground.hold is None:
        raise UnknownHold(hold_id)
    return ground.hold
