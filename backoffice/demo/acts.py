"""What happens in the story. Every act has its moment ``at``, in UTC; people go by the product's id of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Somebody who works here. ``role`` is one of the default roles; empty for the admin."""

    email: str
    name: str
    referral_code: str
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """So many credits for ``price_minor`` minor units of ``currency``, by its price at Stripe."""

    name: str
    credits: int
    price_minor: int
    currency: str
    price_id: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """A customer as the product and Stripe know them. ``utc_offset`` is in hours."""

    external_id: str
    email: str
    name: str
    country: str
    utc_offset: int
    source: str
    plan: str
    joined: datetime
    referral_code: str
    visitor_id: str
    stripe_customer_id: str
    card_brand: str
    card_last4: str
    characters: int
    is_demo: bool


@dataclass(frozen=True, kw_only=True)
class Act:
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Opening(Act):
    """The company begins: ``told`` is what the story was made from."""

    staff: Sequence[Colleague]
    told: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PutOnSale(Act):
    """What Stripe has told of plans and packs so far goes on sale."""

    colleague: str


@dataclass(frozen=True, kw_only=True)
class Closing(Act):
    """The story is over."""

    told: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SignUp(Act):
    person: Person


@dataclass(frozen=True, kw_only=True)
class Activity(Act):
    """Something done in the product, by a customer or by a visitor who is none yet."""

    event_id: str
    action: str
    person_id: str | None
    visitor_id: str = ""
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bonus(Act):
    """Credits that everyone gets at signup."""

    person_id: str
    credits: Decimal
    expires_at: datetime
    key: str


@dataclass(frozen=True, kw_only=True)
class Spend(Act):
    """Credits for a piece of work, known to the product under ``reference``."""

    person_id: str
    credits: Decimal
    action_type: str
    description: str
    reference: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Hold(Act):
    """Credits reserved for a piece of work that takes long, known to the product under ``reference``."""

    person_id: str
    credits: Decimal
    reference: str
    expires_in: timedelta


@dataclass(frozen=True, kw_only=True)
class Capture(Act):
    """The work of a hold is done and costs ``credits``, at most what was reserved."""

    person_id: str
    reference: str
    credits: Decimal
    action_type: str
    description: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Release(Act):
    """The work of a hold failed."""

    person_id: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class UsageRefund(Act):
    """Credits of a spend given back, all of them unless told; by the product unless a colleague does it."""

    person_id: str
    reference: str
    credits: Decimal | None
    reason: str
    colleague: str | None
    key: str


@dataclass(frozen=True, kw_only=True)
class Renewal(Act):
    """A month within the year that somebody has paid for begins."""

    person_id: str


@dataclass(frozen=True, kw_only=True)
class Sweep(Act):
    """Whatever has lapsed by now is booked."""


@dataclass(frozen=True, kw_only=True)
class Gift(Act):
    person_id: str
    credits: Decimal
    reason: str
    colleague: str
    key: str
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class GiftReversal(Act):
    """The latest gift of a customer taken back, as far as it is not spent."""

    person_id: str
    reason: str
    colleague: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Adjustment(Act):
    """A correction, positive or negative."""

    person_id: str
    credits: Decimal
    reason: str
    colleague: str
    key: str


@dataclass(frozen=True, kw_only=True)
class StatusChange(Act):
    """A suspension (until a moment, or until lifted) or a ban."""

    person_id: str
    status: str
    reason: str
    colleague: str
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Delivery(Act):
    """An event that Stripe delivers: the exact bytes. ``person_id`` is who gets credits by it, if anyone does."""

    body: bytes
    person_id: str | None


@dataclass(frozen=True, kw_only=True)
class FailedDelivery(Delivery):
    """One that our side fails to apply as often as it tries."""
