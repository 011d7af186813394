"""Limits of a member of staff, and what of them is used."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Sum

from backoffice.lib import clock
from backoffice.lib.work import limited_verbs
from jobs.errors import LimitExceeded
from jobs.models import LimitUse, RoleLimit


@dataclass(frozen=True)
class Bounds:
    """The largest amount of one act and of a day, in the verb's unit; None is no bound."""

    per_act: Decimal | None
    per_day: Decimal | None


NO_BOUNDS = Bounds(None, None)


def bounds_of(*, staff: Any, verb: str) -> Bounds:
    """The most that any role of ``staff`` allows for ``verb``. Super admins have no bounds, nor has who has no row."""
    if staff.is_superuser:
        return NO_BOUNDS
    rows = list(RoleLimit.objects.filter(group__user=staff.pk, verb=verb).values_list("per_act", "per_day"))
    if not rows:
        return NO_BOUNDS
    return Bounds(_largest([act for act, _ in rows]), _largest([day for _, day in rows]))


def _largest(bounds: list[Decimal | None]) -> Decimal | None:
    known = [bound for bound in bounds if bound is not None]
    return max(known) if len(known) == len(bounds) else None


def used_today(*, staff: Any, verb: str, now: datetime | None = None) -> Decimal:
    """What ``staff`` used of ``verb`` since midnight in REPORTING_TIME_ZONE, in the verb's unit."""
    since = _midnight(now or clock.now())
    uses = LimitUse.objects.filter(staff=staff.pk, verb=verb, at__gte=since)
    return uses.aggregate(total=Sum("amount"))["total"] or Decimal(0)


def is_used(key: str) -> bool:
    """Whether an act was counted under this key."""
    return LimitUse.objects.filter(key=key).exists()


def excess(*, staff: Any, verb: str, amount: Decimal, largest: Decimal | None = None) -> LimitExceeded | None:
    """Why ``staff`` may not do ``amount`` of ``verb`` alone, or None.

    ``largest`` is the largest single act when ``amount`` is the sum of several.
    """
    bounds = bounds_of(staff=staff, verb=verb)
    single = amount if largest is None else largest
    if bounds.per_act is not None and single > bounds.per_act:
        return _exceeded(verb, amount, bounds.per_act, Decimal(0), is_daily=False)
    if bounds.per_day is not None:
        used = used_today(staff=staff, verb=verb)
        if used + amount > bounds.per_day:
            return _exceeded(verb, amount, bounds.per_day, used, is_daily=True)
    return None


def _exceeded(verb: str, amount: Decimal, limit: Decimal, used: Decimal, *, is_daily: bool) -> LimitExceeded:
    known = limited_verbs.get(verb)
    write = known.format if known else str
    if is_daily:
        text = f"Your limit for a day is {write(limit)}, of which {write(used)} are used."
    else:
        text = f"Your limit for one act is {write(limit)}."
    return LimitExceeded(verb=verb, amount=amount, limit=limit, is_daily=is_daily, explanation=text)


def _midnight(now: datetime) -> datetime:
    zone = ZoneInfo(settings.REPORTING_TIME_ZONE)
    return datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
