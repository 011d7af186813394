"""What people did and where from, removed for its age: a few rows at a time, each time in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from axes.models import AccessAttempt
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import ActivityEvent
from accounts.models.activity import WITH_ADDRESS


def old_activity(before: datetime) -> QuerySet[ActivityEvent]:
    """Acts that were told of before ``before``. For counting: it reads them all."""
    return ActivityEvent.objects.filter(created_at__lt=before)


@transaction.atomic
def remove_activity(before: datetime, limit: int) -> int:
    """Delete the oldest acts, as long as they were told of before ``before``; how many.

    They are kept in the order in which they were told, so the oldest stand first and no index on time is needed.
    """
    first = ActivityEvent.objects.order_by("pk").select_for_update(skip_locked=True)
    rows = first.values_list("pk", "created_at")[:limit]
    old = [pk for pk, told_at in rows if told_at < before]
    ActivityEvent.objects.filter(pk__in=old).delete()
    return len(old)


def old_addresses(before: datetime) -> QuerySet[ActivityEvent]:
    """Acts before ``before`` of which it is still known where from."""
    return ActivityEvent.objects.filter(WITH_ADDRESS, created_at__lt=before)


@transaction.atomic
def remove_addresses(before: datetime, limit: int) -> int:
    """Forget IP address and browser of the oldest acts that have them, as long as they were before ``before``."""
    first = ActivityEvent.objects.filter(WITH_ADDRESS).order_by("pk").select_for_update(skip_locked=True, no_key=True)
    rows: Sequence[tuple[int, datetime]] = list(first.values_list("pk", "created_at")[:limit])
    old = [pk for pk, told_at in rows if told_at < before]
    ActivityEvent.objects.filter(pk__in=old).update(ip=None, user_agent="")
    return len(old)


def old_attempts(before: datetime) -> QuerySet[AccessAttempt]:
    """Failed logins before ``before``."""
    attempts: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(attempt_time__lt=before)
    return attempts


@transaction.atomic
def remove_attempts(before: datetime, limit: int) -> int:
    """Delete failed logins with the addresses that they came from."""
    old = list(old_attempts(before).order_by("pk").values_list("pk", flat=True)[:limit])
    AccessAttempt.objects.filter(pk__in=old).delete()
    return len(old)
