"""Pieces of work: most are charged at once, long ones are reserved first, and some fail."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from backoffice.demo import ids, office
from backoffice.demo.acts import Act, Capture, Hold, Person, Release, Spend, UsageRefund
from backoffice.demo.catalogue import Work
from backoffice.demo.period import DAY, Period, midnight

# The product has learnt to reserve what training a character costs; before, it charged when the training began.
RESERVES = "character_creation"
RESERVES_FOR = 21 * DAY
# How a training ends; one that is lost is never heard of again.
ENDS = {"done": 66, "stopped": 12, "failed": 12, "lost": 10}
EXPIRES_IN = timedelta(hours=12)
# Jobs that wait for a machine when the story ends.
QUEUED_FOR = 7 * DAY
FAILS, DISAPPOINTS = 0.003, 0.001


def job(rng: Random, at: datetime, person: Person, reference: str, work: Work, period: Period) -> Iterator[Act]:
    """What one piece of work does to the credits of ``person``, at ``at`` and later."""
    if work.action_type == RESERVES and at >= period.end - RESERVES_FOR:
        yield from _reserved(rng, at, person, reference, work)
    else:
        yield from _charged(rng, at, person, reference, work)


def queued(rng: Random, at: datetime, person: Person, credits: Decimal) -> Hold:
    """Work that is reserved and does not begin within the story."""
    reference = ids.hex_id(rng, "gen_")
    return Hold(at=at, person_id=person.external_id, credits=credits, reference=reference, expires_in=QUEUED_FOR)


def _reserved(rng: Random, at: datetime, person: Person, reference: str, work: Work) -> Iterator[Act]:
    person_id = person.external_id
    yield Hold(at=at, person_id=person_id, credits=work.credits, reference=reference, expires_in=EXPIRES_IN)
    (end,) = rng.choices(list(ENDS), list(ENDS.values()))
    at += timedelta(seconds=rng.randint(1800, 14_400))
    if end == "failed":
        yield Release(at=at, person_id=person_id, reference=reference)
    elif end != "lost":
        used = 1 if end == "done" else Decimal(rng.randint(20, 80)) / 100
        yield Capture(
            at=at,
            person_id=person_id,
            reference=reference,
            credits=work.credits * used,
            action_type=work.action_type,
            description=work.description,
            metadata=work.metadata,
        )


def _charged(rng: Random, at: datetime, person: Person, reference: str, work: Work) -> Iterator[Act]:
    yield Spend(
        at=at,
        person_id=person.external_id,
        credits=work.credits,
        action_type=work.action_type,
        description=work.description,
        reference=reference,
        metadata=work.metadata,
    )
    chance = rng.random()
    if chance < FAILS:
        yield _given_back(rng, at + timedelta(seconds=rng.randint(20, 600)), person, reference, work, by_staff=False)
    elif chance < FAILS + DISAPPOINTS:
        yield _given_back(rng, _next_office_hour(rng, at), person, reference, work, by_staff=True)


def _given_back(
    rng: Random, at: datetime, person: Person, reference: str, work: Work, *, by_staff: bool
) -> UsageRefund:
    half = (work.credits / 2).quantize(Decimal("0.0001"))
    return UsageRefund(
        at=at,
        person_id=person.external_id,
        reference=reference,
        credits=half if rng.random() < 0.3 else None,
        reason=rng.choice(office.REFUND_REASONS if by_staff else office.FAILURES),
        colleague=office.supporter(rng).email if by_staff else None,
        key=f"{'admin' if by_staff else 'api:demo'}:refund:{reference}",
    )


def _next_office_hour(rng: Random, at: datetime) -> datetime:
    return midnight(at.date()) + DAY + timedelta(hours=rng.randint(8, 16), seconds=rng.randrange(3600))
