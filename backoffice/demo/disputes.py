"""Purchases that are taken back: what becomes of their credits, told to the ledger as billing will tell it.

Here the ledger is told directly; the events by which Stripe reports refunds and disputes are not part of the story.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from backoffice.demo import ids
from backoffice.demo.acts import Act, Person
from backoffice.demo.period import DAY, Period, moment_between

# Pieces of work between the purchase and the regret: who disputes it has spent it, and owes it then.
WORKS = {"refunded": 3, "charged_back": 60, "won": 12}
PACK = "Plus"


@dataclass(frozen=True, kw_only=True)
class Clawback(Act):
    """Credits of the purchase by ``payment_id`` taken back: a reversal or a chargeback, as ``kind`` says."""

    person_id: str
    payment_id: str
    credits: Decimal
    kind: str
    reference: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Reinstatement(Act):
    """The dispute ``reference`` is won: its chargeback is given back."""

    person_id: str
    reference: str


def taken_back(
    rng: Random, trouble: str, since: datetime, person: Person, payment_id: str, *, bought: Decimal, unspent: Decimal
) -> Iterator[Act]:
    """What follows from a purchase of ``bought`` credits, by the kind of ``trouble``, in the days after ``since``."""
    if trouble == "refunded":
        yield _clawback(rng, since, person, payment_id, unspent, kind="reversal")
        return
    chargeback = _clawback(rng, since, person, payment_id, bought, kind="chargeback")
    yield chargeback
    if trouble == "won":
        at = _days_later(rng, chargeback.at, 1, 3)
        yield Reinstatement(at=at, person_id=person.external_id, reference=chargeback.reference)


def _clawback(
    rng: Random, since: datetime, person: Person, payment_id: str, credits: Decimal, *, kind: str
) -> Clawback:
    is_refund = kind == "reversal"
    return Clawback(
        at=_days_later(rng, since, 1, 4),
        person_id=person.external_id,
        payment_id=payment_id,
        credits=credits,
        kind=kind,
        reference=ids.stripe_id(rng, "re_" if is_refund else "dp_"),
        description="Refund of what was not used" if is_refund else "Payment disputed by the bank",
    )


def moment_of_purchase(rng: Random, person: Person, period: Period) -> datetime:
    """Some time after the signup, and early enough for what follows if they signed up early enough."""
    latest = max(person.joined + DAY, period.end - 12 * DAY)
    return moment_between(rng, person.joined + timedelta(hours=2), latest)


def _days_later(rng: Random, at: datetime, least: int, most: int) -> datetime:
    return at + timedelta(seconds=rng.randint(least * 86_400, most * 86_400))
