"""The whole story, from its seed: the same seed, users, days and last day tell the same one, wherever and whenever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from random import Random

from backoffice.demo import ids, lives, shop, stripe_basil, till
from backoffice.demo.acts import Act, Activity, Closing, Opening, PutOnSale, Sweep
from backoffice.demo.office import BILLING, STAFF
from backoffice.demo.people import SOURCES, cast
from backoffice.demo.period import DAY, Period

# Of five visitors one signs up.
LOOKERS_PER_CUSTOMER = 4
SWEEP_WEEKDAY = 0
# So long ago the company took a newer version of Stripe's API for its events.
NEW_SHAPES_FOR = 7 * DAY


@dataclass(frozen=True)
class Story:
    """What happened in ``period``, in time."""

    period: Period
    acts: Sequence[Act]

    def days(self) -> Iterator[list[Act]]:
        """The acts of each day; every day has its turn."""
        by_day = {day: list(acts) for day, acts in groupby(self.acts, key=lambda act: act.at.date())}
        for day in self.period.midnights(self.period.start):
            yield by_day.get(day.date(), [])


def tell(*, users: int, seed: int, period: Period) -> Story:
    """Make up the story of a company with ``users`` customers."""
    rng = Random(f"{seed}:company")  # noqa: S311 (a story, not a secret)
    roles = cast(rng, users, period)
    told = {"users": users, "days": period.days, "seed": seed, "until": period.until.isoformat()}
    acts: list[Act] = [Opening(at=period.start, staff=STAFF, told=told)]
    acts += shop.entered(rng, period.start)
    acts.append(PutOnSale(at=period.start, colleague=BILLING.email))
    for number, role in enumerate(roles):
        # Chance of one's own, so that no life hangs on the length of another.
        acts += lives.live(Random(f"{seed}:{number}"), role, period)  # noqa: S311
    acts += _passers_by(rng, users * LOOKERS_PER_CUSTOMER, period)
    acts += till.payouts(rng, period)
    acts += till.unclear(rng, period, roles[0].person)
    acts += sweeps(period)
    acts.append(Closing(at=period.end - timedelta(seconds=1), told=told))
    # Sorting is stable: what happens to one customer in one second stays in its order.
    return Story(period, stripe_basil.retold(sorted(acts, key=lambda act: act.at), since=period.end - NEW_SHAPES_FOR))


def sweeps(period: Period) -> Iterator[Sweep]:
    """Once a week and at the end: each act books what has lapsed for its customer, this is for the others."""
    for day in period.midnights(period.start + DAY):
        if day.weekday() == SWEEP_WEEKDAY:
            yield Sweep(at=day + timedelta(minutes=4))
    yield Sweep(at=period.end - timedelta(seconds=1))


def _passers_by(rng: Random, number: int, period: Period) -> Iterator[Activity]:
    for _ in range(number):
        seconds = int((period.end - period.start).total_seconds())
        yield Activity(
            at=period.start + timedelta(seconds=rng.randrange(seconds)),
            event_id=ids.hex_id(rng, "act_"),
            action="visit",
            person_id=None,
            visitor_id=ids.hex_id(rng, "vis_"),
            details={"page": "/", "source": rng.choices(list(SOURCES), list(SOURCES.values()))[0]},
        )
