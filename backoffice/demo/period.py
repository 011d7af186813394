"""The days that a story covers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """``days`` whole days of UTC, the last of them the one before ``until``."""

    until: date
    days: int

    @property
    def start(self) -> datetime:
        return self.end - self.days * DAY

    @property
    def end(self) -> datetime:
        """The first moment that is no longer part of it."""
        return midnight(self.until)

    def midnights(self, since: datetime) -> Iterator[datetime]:
        """The beginnings of its days from ``since`` on."""
        day = max(midnight(since.date()), self.start)
        while day < self.end:
            yield day
            day += DAY


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def last_moment_after(at: datetime, days: int) -> datetime:
    """When something lapses that is good for ``days`` whole days after that of ``at``: always at midnight."""
    return midnight(at.date()) + (days + 1) * DAY


def moment_between(rng: Random, low: datetime, high: datetime) -> datetime:
    """A second from ``low`` to ``high``; ``low`` if there is nothing between."""
    seconds = max(0, int((high - low).total_seconds()))
    return low + timedelta(seconds=rng.randint(0, seconds))
