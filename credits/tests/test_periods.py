"""The calendar of allowances, in zones with and without summer time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from credits.periods import month_after, period_around

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
BERLIN = ZoneInfo("Europe/Berlin")


def local(zone, *parts, fold=0):
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize("zone", ZONES)
def test_the_31st_clamps_to_the_end_of_shorter_months_and_comes_back(zone):
    anchor = local(zone, 2026, 1, 31, 9)
    days = [month_after(anchor, months, ZoneInfo(zone)).astimezone(ZoneInfo(zone)) for months in range(5)]
    assert [(day.month, day.day, day.hour) for day in days] == [
        (1, 31, 9), (2, 28, 9), (3, 31, 9), (4, 30, 9), (5, 31, 9)
    ]  # fmt: skip


@pytest.mark.parametrize(("year", "last"), [(2027, 28), (2028, 29), (2100, 28)])
def test_february_has_its_own_length_each_year(year, last):
    assert month_after(local("UTC", year, 1, 30), 1, ZoneInfo("UTC")) == local("UTC", year, 2, last)


def test_the_29th_of_february_returns_in_a_leap_year():
    anchor = local("UTC", 2028, 2, 29)
    assert month_after(anchor, 12, ZoneInfo("UTC")) == local("UTC", 2029, 2, 28)
    assert month_after(anchor, 48, ZoneInfo("UTC")) == local("UTC", 2032, 2, 29)


def test_the_year_turns():
    assert month_after(local("UTC", 2026, 12, 15), 1, ZoneInfo("UTC")) == local("UTC", 2027, 1, 15)
    assert month_after(local("UTC", 2026, 11, 30), 14, ZoneInfo("UTC")) == local("UTC", 2028, 1, 30)


def test_the_wall_clock_stays_when_summer_begins():
    # 9:00 in Berlin is 8:00 UTC in winter and 7:00 in summer.
    assert month_after(datetime(2026, 3, 15, 8, tzinfo=UTC), 1, BERLIN) == datetime(2026, 4, 15, 7, tzinfo=UTC)


def test_a_wall_time_that_is_skipped_becomes_the_one_an_hour_later():
    skipped = month_after(local("Europe/Berlin", 2026, 2, 28, 2, 30), 1, BERLIN)
    assert skipped == local("Europe/Berlin", 2026, 3, 28, 2, 30)
    on_the_day = month_after(local("Europe/Berlin", 2026, 1, 29, 2, 30), 2, BERLIN)
    assert on_the_day.astimezone(BERLIN).strftime("%d %H:%M") == "29 03:30"


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two():
    twice = month_after(local("Europe/Berlin", 2026, 9, 25, 2, 30), 1, BERLIN)
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_an_anchor_in_the_second_of_two_equal_hours_does_not_carry_that_over():
    anchor = local("Europe/Berlin", 2025, 10, 26, 2, 30, fold=1)
    assert month_after(anchor, 0, BERLIN) == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    skipped = month_after(local("Europe/Berlin", 2020, 10, 25, 2, 30, fold=1), 101, BERLIN)
    assert skipped.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M") == "2029-03-25 03:30"


def test_lord_howe_moves_its_clocks_by_half_an_hour():
    zone = ZoneInfo("Australia/Lord_Howe")
    # 4 October 2026: 2:00 becomes 2:30.
    moved = month_after(local("Australia/Lord_Howe", 2026, 9, 4, 2, 15), 1, zone)
    assert moved.astimezone(zone).strftime("%d %H:%M") == "04 02:45"


def test_before_the_anchor_it_is_the_first_period():
    anchor = local("UTC", 2026, 5, 10)
    assert period_around(anchor, local("UTC", 2026, 1, 1), ZoneInfo("UTC")) == (anchor, local("UTC", 2026, 6, 10))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [1, 15, 28, 29, 30, 31])
def test_periods_follow_each_other_without_gap_or_overlap_and_each_moment_is_in_its_own(zone, day):
    here = ZoneInfo(zone)
    anchor = local(zone, 2026, 1, day, 2, 30)
    moment, end = anchor, None
    while moment < anchor + timedelta(days=800):
        starts_at, ends_at = period_around(anchor, moment, here)
        assert starts_at <= moment < ends_at
        assert end is None or starts_at == end
        assert period_around(anchor, ends_at - timedelta(microseconds=1), here) == (starts_at, ends_at)
        moment = end = ends_at
