"""What is asked of the ledger and what it answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from accounts.models import Status
from backoffice.lib.texts import NUL, has_half_character, texts_in
from credits import allocation
from credits.amounts import check_amount
from credits.errors import (
    CreditError,
    CustomerBanned,
    CustomerSuspended,
    DemoCustomer,
    InvalidAmount,
    InvalidExpiry,
    InvalidText,
    UnknownHold,
    UnknownTransaction,
    UnknownUser,
)
from credits.kinds import POSTABLE, TransactionKind, sign_fits


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whose account it is, as read under the lock."""

    user_id: int
    is_demo: bool
    status: str
    status_until: datetime | None

    def check_may_spend(self, now: datetime) -> None:
        """Raise CustomerBanned or CustomerSuspended while a ban or a suspension lasts, lifted already or not."""
        if self.status_until is not None and self.status_until <= now:
            return
        if self.status == Status.BANNED:
            raise CustomerBanned(self.user_id)
        if self.status == Status.SUSPENDED:
            raise CustomerSuspended(self.user_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What an act is decided on: a settled account under its lock, and what the act names."""

    now: datetime
    holder: Holder
    account: allocation.Account
    original: allocation.Original | None = None
    hold: allocation.Hold | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What leads to the account: the customer, an entry or a hold."""

    user_id: int | None = None
    transaction_id: int | None = None
    hold_id: int | None = None

    def unknown(self) -> CreditError:
        """The refusal of an act whose target does not exist."""
        if self.hold_id is not None:
            return UnknownHold(self.hold_id)
        if self.transaction_id is not None:
            return UnknownTransaction(self.transaction_id)
        return UnknownUser(self.user_id or 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What an entry says beside its amounts. ``event_at`` (UTC) is when the act happened, now unless told."""

    action_type: str = ""
    description: str = ""
    reference: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event_at: datetime | None = None
    actor_id: int | None = None
    reverses_id: int | None = None


class Act(Protocol):
    """One thing that is asked of the ledger, under an idempotency key that carries its namespace."""

    @property
    def idempotency_key(self) -> str: ...

    @property
    def target(self) -> Target: ...

    def check(self) -> None:
        """Raise InvalidAmount or InvalidText unless the ledger can hold this as it is."""

    def content(self) -> list[Any]:
        """What makes two requests the same one."""

    def note(self) -> Note:
        """What its entry says."""

    def decide(self, ground: Ground) -> allocation.Entry | allocation.Hold | None:
        """Decide it in the core; None when nothing is to be written. Raises CreditError."""


# What the columns of an entry and a lot hold.
# Beyond it, clocks of some time zones run out of years.
LONGEST_LIFE = timedelta(days=36525)
MAX_PRIORITY = 2**15 - 1
MAX_PAID_MINOR = 2**63 - 1
_CURRENCY = re.compile("[A-Za-z]{3}")
LONGEST = {"idempotency_key": 255, "action_type": 64, "description": 500, "reference": 200}


def check_texts(act: object) -> None:
    """Raise InvalidText if a text of the act is longer than its column, or what it tells cannot be kept."""
    for name, longest in LONGEST.items():
        text = getattr(act, name, "")
        if len(text) > longest:
            raise InvalidText(f"The {name} has at most {longest} characters.")
        _check_characters(name, text)
    if metadata := getattr(act, "metadata", None):
        _check_metadata(metadata)


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    try:
        json.dumps(metadata, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidText("The metadata is not JSON.") from error
    for text in texts_in(metadata):
        _check_characters("metadata", text)


def _check_characters(name: str, text: str) -> None:
    if NUL in text:
        raise InvalidText(f"The {name} holds a NUL, which no text may.")
    if has_half_character(text):
        raise InvalidText(f"The {name} holds half a surrogate pair, which is no character.")


def plain(amount: Decimal | None) -> str | None:
    """The amount as it is compared: 100 and 100.0000 are the same."""
    return None if amount is None else str(amount.normalize())


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One movement to post. ``amount`` is in credits, positive to add, negative to take.

    ``idempotency_key`` carries its namespace, such as ``admin:gift:...``. ``paid_minor`` is the total paid for the
    credits, in minor units of ``currency``. ``event_at`` (UTC) is when the act happened, now unless told. An
    allowance with ``period_start`` begins a new period of consumption.
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
    period_start: datetime | None = None

    @property
    def target(self) -> Target:
        return Target(user_id=self.user_id)

    def check(self) -> None:
        check_amount(self.amount.copy_abs())
        if self.kind not in POSTABLE or not sign_fits(self.kind, self.amount > 0):
            raise InvalidAmount(f"A {self.kind} cannot be {self.amount}.")
        self._check_terms()
        check_texts(self)

    def _check_terms(self) -> None:
        if not -MAX_PRIORITY <= self.priority <= MAX_PRIORITY:
            raise InvalidAmount(f"A priority lies between -{MAX_PRIORITY} and {MAX_PRIORITY}.")
        if self.paid_minor is None:
            if self.currency:
                raise InvalidAmount("A currency is that of a payment.")
        elif not 0 <= self.paid_minor <= MAX_PAID_MINOR or not _CURRENCY.fullmatch(self.currency):
            raise InvalidAmount("What was paid is 0 or more, in a currency of three letters.")

    def content(self) -> list[Any]:
        return [
            self.user_id,
            self.kind,
            plain(self.amount),
            self.reference,
            self.action_type,
            self.description,
            self.priority,
            self.metadata,
            self.expires_at.isoformat() if self.expires_at else None,
            self.paid_minor,
            self.currency.upper(),
        ]

    def note(self) -> Note:
        return Note(
            action_type=self.action_type,
            description=self.description,
            reference=self.reference,
            metadata=self.metadata,
            event_at=self.event_at,
            actor_id=self.actor_id,
        )

    def decide(self, ground: Ground) -> allocation.Entry | None:
        if self.kind == TransactionKind.USAGE:
            ground.holder.check_may_spend(ground.now)
            if ground.holder.is_demo:
                return None
        if ground.holder.is_demo:
            raise DemoCustomer(self.user_id)
        if self.amount < 0:
            return allocation.spend(ground.account, self.kind, -self.amount, now=ground.now)
        return self._add(ground)

    def _add(self, ground: Ground) -> allocation.Entry:
        if self.expires_at is not None and not ground.now < self.expires_at <= ground.now + LONGEST_LIFE:
            raise InvalidExpiry("The expiry must lie in the future, and within a hundred years.")
        terms = allocation.LotTerms(
            priority=self.priority,
            expires_at=self.expires_at,
            paid_minor=self.paid_minor,
            currency=self.currency.upper(),
        )
        entry = allocation.add(ground.account, self.kind, self.amount, terms, now=ground.now)
        if self.period_start is not None:
            allocation.start_period(ground.account, self.period_start)
        return entry


@dataclass(frozen=True, kw_only=True, slots=True)
class PostResult:
    """The entry that an act made, or that it made the first time its key was used (``replayed``).

    Amounts are credits. A demo customer is never charged: there is no entry and the amounts are 0.
    """

    transaction_id: int | None
    seq: int | None
    amount: Decimal
    balance_before: Decimal
    balance_after: Decimal
    replayed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldResult:
    """A hold as the act left it, or as it left it the first time its key was used (``replayed``).

    ``captured`` credits were spent by the entry ``transaction_id``; ``balance_after`` is the account's.
    """

    hold_id: int
    amount: Decimal
    state: str
    expires_at: datetime
    captured: Decimal
    transaction_id: int | None
    balance_after: Decimal
    replayed: bool = False


@dataclass(frozen=True)
class Rejection:
    """Why an act was refused. It wrote nothing."""

    error: CreditError


Outcome = PostResult | HoldResult | Rejection
