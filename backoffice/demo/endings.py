"""What a subscription is as the story ends, where that is told: each state that staff should be able to look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from backoffice.demo.acts import Person
from backoffice.demo.courses import Chapter, Course, months
from backoffice.demo.period import DAY, Period
from backoffice.demo.plans import Tier, smaller

# Stripe tries the cards for so long.
RETRIED_FOR = 8 * DAY
RESUMES_AFTER_THE_END = 20 * DAY


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A subscription that was taken ``days`` before the story ends, and what it goes through until then."""

    days: int
    chapters: Callable[[Course, datetime], Iterator[Chapter]]


def chapters(rng: Random, person: Person, tier: Tier, period: Period, ending: str) -> Iterator[Chapter]:
    """What becomes of the subscription of somebody in whose life it has this ``ending``."""
    told = ENDINGS[ending]
    taken = max(person.joined, period.end - (told.days + 1) * DAY) + DAY + _by_day(rng)
    return told.chapters(Course(rng, person, tier, taken), period.end)


def _trialing(course: Course, end: datetime) -> Iterator[Chapter]:
    yield course.trial()


def _leaving(course: Course, end: datetime) -> Iterator[Chapter]:
    first, _ = _months(course)
    yield course.begun(*first)
    yield course.leaving(course.taken + course.rng.randint(4, 20) * DAY, *first)


def _past_due(course: Course, end: datetime) -> Iterator[Chapter]:
    first, second = _months(course)
    yield course.begun(*first)
    yield course.past_due(course.renewal_asked(*second), *second)


def _unpaid(course: Course, end: datetime) -> Iterator[Chapter]:
    yield from _past_due(course, end)
    _, second = _months(course)
    yield course.unpaid(second[0] + RETRIED_FOR, *second)


def _paused(course: Course, end: datetime) -> Iterator[Chapter]:
    yield from _skipping(course, "void", None)


def _paused_until(course: Course, end: datetime) -> Iterator[Chapter]:
    yield from _skipping(course, "mark_uncollectible", end + RESUMES_AFTER_THE_END)


def _resumed(course: Course, end: datetime) -> Iterator[Chapter]:
    first, second = _months(course)
    yield course.begun(*first)
    yield course.paused(course.taken + 5 * DAY, *first, "void")
    yield course.resumed(course.taken + 16 * DAY, *first)
    yield course.renewed(*second)


def _expired(course: Course, end: datetime) -> Iterator[Chapter]:
    first, _ = _months(course)
    yield from course.incomplete(*first)


def _returned(course: Course, end: datetime) -> Iterator[Chapter]:
    first, _ = _months(course)
    yield course.begun(*first)
    yield course.leaving(course.taken + course.rng.randint(4, 20) * DAY, *first)
    yield course.ended(first[1], "canceled")
    # A discount won them back.
    back = Course(course.rng, course.person, course.tier, first[1] + 4 * DAY + _by_day(course.rng), is_cheaper=True)
    first, _ = _months(back)
    yield back.begun(*first)


def _downgraded(course: Course, end: datetime) -> Iterator[Chapter]:
    first, second = _months(course)
    yield course.begun(*first)
    course.tier = smaller(course.tier)
    yield course.renewed(*second)


def _skipping(course: Course, behavior: str, resumes: datetime | None) -> Iterator[Chapter]:
    first, second = _months(course)
    yield course.begun(*first)
    yield course.paused(course.taken + 12 * DAY, *first, behavior, resumes)
    yield course.skipped(*second)


def _months(course: Course) -> Iterator[tuple[datetime, datetime]]:
    """The first two of a subscription."""
    return islice(months(course.begins), 2)


def _by_day(rng: Random) -> timedelta:
    return timedelta(hours=8, seconds=rng.randrange(12 * 3600))


ENDINGS: Mapping[str, Ending] = {
    "trialing": Ending(days=3, chapters=_trialing),
    "leaving": Ending(days=24, chapters=_leaving),
    "past_due": Ending(days=33, chapters=_past_due),
    "unpaid": Ending(days=41, chapters=_unpaid),
    "paused": Ending(days=36, chapters=_paused),
    "paused_until": Ending(days=37, chapters=_paused_until),
    "resumed": Ending(days=34, chapters=_resumed),
    "expired": Ending(days=4, chapters=_expired),
    "returned": Ending(days=39, chapters=_returned),
    "downgraded": Ending(days=35, chapters=_downgraded),
}
