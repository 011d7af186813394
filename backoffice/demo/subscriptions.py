"""Plans: what they grant each month, when somebody takes one and when its months begin."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from backoffice.demo.acts import Person
from backoffice.demo.period import DAY, Period, midnight
from credits.periods import month_after

# Credits a month.
ALLOWANCES = {"starter": Decimal(40), "pro": Decimal(160), "studio": Decimal(640)}
UPGRADES = 0.2
# The company sells plans since then; who was a customer before takes one in the weeks that follow.
SOLD_FOR, TAKEN_WITHIN = 80 * DAY, 10 * DAY
# The first sweep of a day comes by.
SWEPT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Grant:
    """``credits`` that come in at ``at`` and lapse at ``lapses``; ``monthly`` is set where the plan changes."""

    at: datetime
    credits: Decimal
    lapses: datetime
    since: datetime
    monthly: Decimal | None = None


def grants(rng: Random, person: Person, period: Period) -> Iterator[Grant]:
    """What the plan of ``person`` grants within the story, from the day on which they take it."""
    allowance = ALLOWANCES.get(person.plan)
    wants = max(person.joined + DAY, period.end - SOLD_FOR)
    taken = wants + timedelta(seconds=rng.randrange(int(TAKEN_WITHIN.total_seconds())))
    if allowance is None or taken >= period.end:
        return
    upgraded = taken + rng.randint(5, 40) * DAY
    first = _smaller(allowance) if rng.random() < UPGRADES else allowance
    for starts, ends in _months(midnight(taken.date()), period.end):
        monthly = first if starts < upgraded else allowance
        is_first = starts <= taken
        since = midnight(taken.date())
        yield Grant(
            taken if is_first else starts + SWEPT_AFTER, monthly, ends, since, monthly=monthly if is_first else None
        )
        if first != allowance and starts < upgraded < ends:
            yield Grant(upgraded, allowance - first, ends, since, monthly=allowance)


def _smaller(allowance: Decimal) -> Decimal:
    """That of the next smaller plan, if there is one."""
    return max((credits for credits in ALLOWANCES.values() if credits < allowance), default=allowance)


def _months(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    # By UTC whatever the zone of reports is: all that lapses in the story lapses at its midnights.
    number, starts = 0, since
    while starts < until:
        number += 1
        ends = month_after(since, number, ZoneInfo("UTC")).astimezone(UTC)
        yield starts, ends
        starts = ends
