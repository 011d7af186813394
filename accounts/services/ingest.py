"""Acts of customers and visitors as the product tells of them, many at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import selectors
from accounts.errors import UnknownCustomer
from accounts.services.activities import Activity, record_activities


@dataclass(frozen=True, kw_only=True)
class ToldEvent:
    """An act as the product tells it: of the customer whom it calls ``user``, or of a visitor. ``at`` is UTC."""

    event_id: str
    action: str
    at: datetime
    user: str | None
    visitor_id: str
    details: Mapping[str, Any]
    ip: str | None
    user_agent: str


@transaction.atomic
def record_events(*, events: Sequence[ToldEvent]) -> list[bool | UnknownCustomer]:
    """Keep the events, each once under its id; for each whether it is new, or why it was not kept.

    A visitor's event that comes after the visitor signed up, and happened before, is the customer's. The number of
    statements does not depend on the number of events.
    """
    users = selectors.customer_ids({event.user for event in events if event.user is not None})
    signups = selectors.signups_of_visitors({event.visitor_id for event in events if event.user is None})
    activities = [
        _activity(event, users.get(event.user) if event.user is not None else _signed_up(event, signups))
        for event in events
        if event.user is None or event.user in users
    ]
    unseen = set(record_activities(activities=activities)) if activities else set()
    return [_outcome(event, users, unseen) for event in events]


def _activity(event: ToldEvent, user_id: int | None) -> Activity:
    return Activity(
        event_id=event.event_id,
        action=event.action,
        user_id=user_id,
        at=event.at,
        visitor_id=event.visitor_id,
        details=event.details,
        ip=event.ip,
        user_agent=event.user_agent,
    )


def _signed_up(event: ToldEvent, signups: Mapping[str, Sequence[tuple[datetime, int]]]) -> int | None:
    return next((user_id for at, user_id in signups.get(event.visitor_id, ()) if at >= event.at), None)


def _outcome(event: ToldEvent, users: Mapping[str, int], unseen: set[str]) -> bool | UnknownCustomer:
    if event.user is not None and event.user not in users:
        return UnknownCustomer(event.user)
    # Of several items with one id the first was kept.
    is_new = event.event_id in unseen
    unseen.discard(event.event_id)
    return is_new
