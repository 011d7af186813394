"""Verbs on people and on the figures kept beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts.models import ActivityEvent, CustomerFigures, User
from backoffice.lib import clock

# Moving last_active_at at each act would rewrite a hot row for no one's benefit.
ACTIVE_RESOLUTION = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One act to keep. ``at`` is UTC; one without a user belongs to a visitor."""

    event_id: str
    action: str
    user_id: int | None
    at: datetime
    visitor_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


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
def record_activities(*, activities: Sequence[Activity]) -> None:
    """Keep many acts, each once under its ``event_id``, in two statements; see ``record_activity``."""
    now = clock.now()
    ActivityEvent.objects.bulk_create(
        [
            ActivityEvent(
                event_id=activity.event_id,
                action=activity.action,
                user_id=activity.user_id,
                visitor_id=activity.visitor_id,
                details=dict(activity.details),
                at=activity.at,
                created_at=now,
            )
            # In one order for all writers: two that share ids queue instead of deadlocking.
            for activity in sorted(activities, key=lambda activity: activity.event_id)
        ],
        ignore_conflicts=True,
    )
    _move_last_active(activities, now)


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


def set_balances(balances: Mapping[int, Decimal]) -> None:
    """Write each customer's balance in credits beside the person; keyed by user id. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_customerfigures AS figures SET balance = new.balance"
            " FROM unnest(%s::bigint[], %s::numeric[]) AS new(user_id, balance)"
            " WHERE figures.user_id = new.user_id",
            [list(balances), list(balances.values())],
        )


def set_spend(*, user_id: int, spend_minor: int) -> None:
    """Write what a customer has paid on balance, in minor units of REPORTING_CURRENCY."""
    CustomerFigures.objects.filter(user_id=user_id).update(spend_minor=spend_minor)


@transaction.atomic
def link_stripe_customer(*, user_id: int, stripe_customer_id: str) -> None:
    """Remember the Stripe customer of a user who has none; a known one is left as it is, and so is another's."""
    if not User.objects.filter(stripe_customer_id=stripe_customer_id).exists():
        User.objects.filter(pk=user_id, stripe_customer_id__isnull=True).update(stripe_customer_id=stripe_customer_id)
