"""Verbs on people and on the figures kept beside them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import ActivityEvent, CustomerFigures, User
from backoffice.lib import clock

# Moving last_active_at at each act would rewrite a hot row for no one's benefit.
ACTIVE_RESOLUTION = timedelta(minutes=5)


@transaction.atomic
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
    moment = at or clock.now()
    ActivityEvent.objects.bulk_create(
        [
            ActivityEvent(
                event_id=event_id,
                action=action,
                user_id=user_id,
                visitor_id=visitor_id,
                details=dict(details or {}),
                at=moment,
                created_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    if user_id is not None:
        stale = Q(last_active_at__isnull=True) | Q(last_active_at__lt=moment - ACTIVE_RESOLUTION)
        User.objects.filter(stale, pk=user_id).update(last_active_at=moment)


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
