"""Spans of time that reports are about: whole days of REPORTING_TIME_ZONE, as moments."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def reporting_zone() -> ZoneInfo:
    """The time zone whose midnight begins a day of every report."""
    return ZoneInfo(settings.REPORTING_TIME_ZONE)


def midnight(day: date) -> datetime:
    """When this day begins in REPORTING_TIME_ZONE."""
    return datetime.combine(day, time.min, reporting_zone())


def day_of(moment: datetime) -> date:
    """The day of reports that an aware moment falls on."""
    return moment.astimezone(reporting_zone()).date()


@dataclass(frozen=True)
class Period:
    """From ``start`` until before ``end``, both aware. Raises ValueError for one that holds no moment."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("A period begins and ends at aware moments.")
        if self.start >= self.end:
            raise ValueError("A period ends after it begins.")


def days(first: date, last: date) -> Period:
    """The days from ``first`` to ``last``, both in it. Raises ValueError if ``last`` is before ``first``."""
    return Period(midnight(first), midnight(last + timedelta(days=1)))


def month(year: int, number: int) -> Period:
    """One calendar month; ``number`` 1 is January. Raises ValueError for a month that there is not."""
    first = date(year, number, 1)
    return Period(midnight(first), midnight((first + timedelta(days=31)).replace(day=1)))
