"""Purchases that are taken back: what Stripe delivers when they are refunded, or disputed at a bank."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from backoffice.demo import stripe_events
from backoffice.demo.acts import Delivery, Person
from backoffice.demo.period import DAY, Period, moment_between

# Pieces of work between the purchase and the regret: who disputes it has spent it, and owes it then.
WORKS = {"refunded": 3, "refunded_in_full": 0, "failed_refund": 2, "charged_back": 60, "won": 12, "disputed": 8}
PACK = "Plus"
# What is to be seen among the latest events was bought so long before the end: who is still asked for evidence was
# asked a few days ago.
BOUGHT_BEFORE_END = {"disputed": 7 * DAY, "refunded_in_full": 5 * DAY}
REASONS = ("fraudulent", "product_not_received", "unrecognized")


def taken_back(
    rng: Random, trouble: str, since: datetime, person: Person, intent: Any, *, bought: Decimal, unspent: Decimal
) -> Iterator[Delivery]:
    """What follows from a purchase of ``bought`` credits, by the kind of ``trouble``, in the days after ``since``."""
    at = _days_later(rng, since, 1, 4)
    if "refund" in trouble:
        yield from _refunded(rng, at, person, intent, share=unspent / bought, fails=trouble == "failed_refund")
    else:
        yield from _disputed(rng, at, person, intent, end={"charged_back": "lost", "won": "won"}.get(trouble))


def moment_of_purchase(rng: Random, trouble: str, person: Person, period: Period) -> datetime:
    """Some time after the signup, and early enough for what follows if they signed up early enough."""
    latest = max(person.joined + DAY, period.end - 14 * DAY)
    if before := BOUGHT_BEFORE_END.get(trouble):
        return max(person.joined + DAY, period.end - before)
    return moment_between(rng, person.joined + timedelta(hours=2), latest)


def _refunded(
    rng: Random, at: datetime, person: Person, intent: Any, *, share: Decimal, fails: bool
) -> Iterator[Delivery]:
    (charge,) = intent["charges"]["data"]
    amount = max(1, int(charge["amount"] * share))
    refund = stripe_events.refund(rng, at, charge, amount)
    told = charge | {"amount_refunded": amount, "refunded": amount == charge["amount"]}
    told |= {"refunds": {"object": "list", "data": [refund], "has_more": False, "total_count": 1}}
    yield _delivery(rng, at, "charge.refunded", told, person)
    if fails:
        at = _days_later(rng, at, 2, 4)
        failed = refund | {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        yield _delivery(rng, at, "refund.failed", failed, person)


def _disputed(rng: Random, at: datetime, person: Person, intent: Any, *, end: str | None) -> Iterator[Delivery]:
    (charge,) = intent["charges"]["data"]
    dispute = stripe_events.dispute(rng, at, charge, rng.choice(REASONS))
    yield _delivery(rng, at, "charge.dispute.created", dispute, person)
    if end is None:
        return
    at = _days_later(rng, at, 2, 4)
    yield _delivery(rng, at, "charge.dispute.updated", dispute | {"status": "under_review"}, person)
    at = _days_later(rng, at, 1, 3)
    yield _delivery(rng, at, "charge.dispute.closed", dispute | {"status": end}, person)


def _delivery(rng: Random, at: datetime, event_type: str, subject: stripe_events.Object, person: Person) -> Delivery:
    return Delivery(at=at, body=stripe_events.event(rng, at, event_type, subject), person_id=person.external_id)


def _days_later(rng: Random, at: datetime, least: int, most: int) -> datetime:
    return at + timedelta(seconds=rng.randint(least * 86_400, most * 86_400))
