"""What people did, kept once each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import ActivityEvent
from backoffice.lib import clock

SIGNUP = "signup"
# Moving last_active_at at each act would rewrite a hot row for no one's benefit.
ACTIVE_RESOLUTION = timedelta(minutes=5)
USER_AGENT_LENGTH = 400


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One act to keep. ``at`` is UTC; one without a user belongs to a visitor."""

    event_id: str
    action: str
    user_id: int | None
    at: datetime
    visitor_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    ip: str | None = None
    user_agent: str = ""


def record_activity(
    *,
    event_id: str,
    action: str,
    user_id: int | None,
    at: datetime | None = None,
    visitor_id: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Keep one act under its ``event_id``; the same id again changes nothing.

    ``at`` is UTC, now unless told. The user's ``last_active_at`` follows, at most every 5 minutes.
    """
    record_activities(
        activities=[
            Activity(
                event_id=event_id,
                action=action,
                user_id=user_id,
                at=at or clock.now(),
                visitor_id=visitor_id,
                details=details or {},
            )
        ]
    )


@transaction.atomic
def record_activities(*, activities: Sequence[Activity]) -> frozenset[str]:
    """Keep many acts, each once under its ``event_id``, in two statements; see ``record_activity``.

    Returns the ids that were new. A second signup of one person is no new act either.
    """
    now = clock.now()
    kept = _insert(activities, now)
    _move_last_active(activities, now)
    return kept


def _insert(activities: Sequence[Activity], now: datetime) -> frozenset[str]:
    # In one order for all writers: two that share ids queue instead of deadlocking.
    rows = sorted(activities, key=lambda activity: activity.event_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_activityevent"
            " (event_id, user_id, visitor_id, action, details, ip, user_agent, at, created_at)"
            " SELECT event_id, user_id, visitor_id, action, details::jsonb, ip::inet, user_agent, at, %s"
            " FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
            " %s::timestamptz[]) AS new(event_id, user_id, visitor_id, action, details, ip, user_agent, at)"
            " ON CONFLICT DO NOTHING RETURNING event_id",
            [
                now,
                [row.event_id for row in rows],
                [row.user_id for row in rows],
                [row.visitor_id for row in rows],
                [row.action for row in rows],
                [json.dumps(dict(row.details)) for row in rows],
                [row.ip for row in rows],
                [row.user_agent[:USER_AGENT_LENGTH] for row in rows],
                [row.at for row in rows],
            ],
        )
        return frozenset(event_id for (event_id,) in cursor)


def _move_last_active(activities: Sequence[Activity], now: datetime) -> None:
    latest: dict[int, datetime] = {}
    for activity in activities:
        if activity.user_id is not None:
            # A product whose clock runs ahead must not make anybody active in the future.
            seen = min(activity.at, now)
            latest[activity.user_id] = max(seen, latest.get(activity.user_id, seen))
    if not latest:
        return
    with connection.cursor() as cursor:
        # Locked in one order, so that two writers of the same people queue instead of deadlocking.
        cursor.execute(
            "WITH stale AS (SELECT person.id, new.at FROM accounts_user AS person"
            " JOIN unnest(%s::bigint[], %s::timestamptz[]) AS new(id, at) ON person.id = new.id"
            " WHERE person.last_active_at IS NULL OR person.last_active_at < new.at - make_interval(secs => %s)"
            " ORDER BY person.id FOR NO KEY UPDATE OF person)"
            " UPDATE accounts_user AS person SET last_active_at = stale.at FROM stale WHERE person.id = stale.id",
            [list(latest), list(latest.values()), ACTIVE_RESOLUTION.total_seconds()],
        )


def link_visits(*, visitor_id: str, user_id: int) -> None:
    """Make what a visitor did so far, as far as it is nobody's yet, the acts of a user."""
    # Locked in one order, so that two who link the same visitor queue instead of deadlocking.
    nobodys = (
        ActivityEvent.objects.select_for_update(no_key=True)
        .filter(visitor_id=visitor_id, user__isnull=True)
        .exclude(visitor_id="")
        .exclude(action=SIGNUP)
        .order_by("pk")
    )
    ActivityEvent.objects.filter(pk__in=list(nobodys.values_list("pk", flat=True))).update(user_id=user_id)
