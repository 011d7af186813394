"""Buying: the events that a purchase makes Stripe deliver, and those that leave somebody something to look at."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from backoffice.demo import ids, stripe_events
from backoffice.demo.acts import Delivery, FailedDelivery, Pack, Person
from backoffice.demo.catalogue import PACKS
from backoffice.demo.period import DAY, Period, moment_between

# How the product asks for money: it names the credits itself, or Stripe's checkout does, or the price of the pack.
WAYS = {"intent": 70, "session": 18, "priced_session": 12}
TELLS_OF_CUSTOMER = 0.2
DECLINED = 0.04
PAYOUT_WEEKDAY, PAYOUT_HOUR = 1, 6


def purchase(rng: Random, at: datetime, person: Person, pack: Pack) -> Iterator[Delivery]:
    """What Stripe delivers, all at ``at``, when ``person`` has paid for ``pack``."""
    (way,) = rng.choices(list(WAYS), list(WAYS.values()))
    user = {"user_id": person.external_id}
    told = user | {"credits": str(pack.credits)}
    paid_at = at - timedelta(seconds=rng.randint(2, 9))
    if rng.random() < DECLINED:
        tried_at = paid_at - timedelta(seconds=rng.randint(20, 60))
        declined = stripe_events.declined_intent(rng, tried_at, person, pack, told)
        yield _delivery(rng, at, "payment_intent.payment_failed", declined, person)
    intent = _intent(rng, paid_at, person, pack, told if way == "intent" else {})
    if rng.random() < TELLS_OF_CUSTOMER:
        yield _delivery(rng, at, "customer.created", stripe_events.customer(paid_at, person))
    if way != "intent":
        session = stripe_events.checkout_session(
            rng, paid_at, person, pack, intent["id"], told if way == "session" else user
        )
        yield _delivery(rng, at, "checkout.session.completed", session, person)
    yield _delivery(rng, at, "payment_intent.succeeded", intent, person)


def payouts(rng: Random, period: Period) -> Iterator[Delivery]:
    """Events of a type that nothing is done for, one a week."""
    for day in period.midnights(period.start):
        if day.weekday() == PAYOUT_WEEKDAY:
            at = day + timedelta(hours=PAYOUT_HOUR, seconds=rng.randrange(900))
            yield _delivery(rng, at, "payout.paid", stripe_events.payout(rng, at))


def unclear(rng: Random, period: Period, someone: Person) -> Iterator[Delivery]:
    """Of the last days: payments that cannot be booked without somebody's look, and what fails."""
    stranger = replace(
        someone,
        email="accounts.payable@example.net",
        name="Nordwind GmbH",
        stripe_customer_id=ids.stripe_id(rng, "cus_"),
    )
    starter, plus, *_ = PACKS
    told = (
        (starter, {"user_id": ids.hex_id(rng, "usr_"), "credits": str(starter.credits)}),
        (plus, {"credits": str(plus.credits)}),
        (starter, {"user_id": someone.external_id, "credits": "one hundred"}),
    )
    for pack, metadata in told:
        at = moment_between(rng, max(period.start, period.end - 9 * DAY), period.end - timedelta(minutes=61))
        intent = _intent(rng, at, stranger, pack, metadata)
        yield _delivery(rng, at, "payment_intent.succeeded", intent)
    # Of the last one, which is not booked.
    at = moment_between(rng, at + timedelta(hours=1), period.end - timedelta(minutes=1))
    (charge,) = intent["charges"]["data"]
    yield _delivery(rng, at, "charge.dispute.created", stripe_events.dispute(rng, at, charge, "unrecognized"))
    # Long enough ago for all attempts to have been made.
    at = moment_between(rng, max(someone.joined, period.end - 3 * DAY), period.end - 2 * DAY)
    body = stripe_events.event(rng, at, "customer.updated", stripe_events.customer(at, someone))
    yield FailedDelivery(at=at, body=body, person_id=None)


def _intent(rng: Random, at: datetime, person: Person, pack: Pack, metadata: stripe_events.Object) -> dict[str, Any]:
    return stripe_events.payment_intent(
        rng,
        at,
        person,
        amount=pack.price_minor,
        currency=pack.currency,
        description=f"{pack.name}: {pack.credits} credits",
        metadata=metadata,
    )


def _delivery(
    rng: Random, at: datetime, event_type: str, subject: stripe_events.Object, person: Person | None = None
) -> Delivery:
    return Delivery(
        at=at,
        body=stripe_events.event(rng, at, event_type, subject),
        person_id=person.external_id if person else None,
    )
