"""The calendar of allowances: when a monthly period starts that is anchored on some day."""

import calendar
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def month_after(anchor: datetime, months: int, zone: ZoneInfo) -> datetime:
    """``anchor`` moved by whole months as clocks in ``zone`` show it, in UTC.

    The day clamps to the month's end and returns to the anchor's as soon as a month has it. A wall time that the
    clocks skip in spring becomes the one as much later, one that they show twice in autumn is the first of the two.
    """
    if not months:
        return anchor.astimezone(UTC)
    # An anchor in the second of two equal hours must not carry that over to other days.
    local = anchor.astimezone(zone).replace(fold=0)
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def period_around(anchor: datetime, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end (UTC) of the period that holds ``now``; before the anchor, the first one."""
    local, local_now = anchor.astimezone(zone), now.astimezone(zone)
    months = max(0, (local_now.year - local.year) * 12 + local_now.month - local.month)
    if months and month_after(anchor, months, zone) > now:
        months -= 1
    return month_after(anchor, months, zone), month_after(anchor, months + 1, zone)
