"""Telling the product what happened here: one webhook for each thing, however often and by whomever it is noticed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from accounts.models import PasswordResetRequest, StatusChange
from backoffice.lib import clock
from backoffice.lib.api.values import iso
from backoffice.lib.nudge import nudge
from jobs import selectors
from jobs.models import Channel, OutboxMessage
from jobs.services.outbox import SWEEP

AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something that the product is told of: ``key`` is of this one thing, ``data`` must fit JSON."""

    key: str
    topic: str
    data: Mapping[str, Any]
    user_id: int


@transaction.atomic
def tell_product(events: Iterable[Told]) -> None:
    """Write a webhook for each of ``events`` that has none yet. They are sent once the transaction commits."""
    now = clock.now()
    messages = [
        OutboxMessage(
            key=event.key,
            channel=Channel.WEBHOOK,
            topic=event.topic,
            payload=dict(event.data),
            user_id=event.user_id,
            next_attempt_at=now,
        )
        # In one order, so that two who write the same ones never wait for each other in turn.
        for event in sorted(events, key=lambda event: event.key)
    ]
    if messages:
        OutboxMessage.objects.bulk_create(messages, batch_size=AT_ONCE, ignore_conflicts=True)
        nudge(SWEEP)


def tell_of_status_change(change_id: int) -> None:
    """Tell of a ban, a suspension or the end of either; of nobody whom the product does not know."""
    tell_product([_told(change) for change in selectors.status_changes_to_tell().filter(pk=change_id)])


def tell_of_untold_status_changes(*, look_back: timedelta) -> None:
    """Tell of the changes of the last time whose hook was lost with its process."""
    since = clock.now() - look_back
    tell_product([_told(change) for change in selectors.untold_status_changes(since=since)])


def tell_of_reset_request(request_id: int) -> None:
    """Have the product ask one of its customers for a new password."""
    tell_product([_asked(request) for request in selectors.reset_requests_to_tell().filter(pk=request_id)])


def tell_of_untold_reset_requests(*, look_back: timedelta) -> None:
    """Tell of the requests of the last time whose hook was lost with its process."""
    since = clock.now() - look_back
    tell_product([_asked(request) for request in selectors.untold_reset_requests(since=since)])


def _asked(request: PasswordResetRequest) -> Told:
    return Told(
        key=selectors.key_of_reset_request(request.pk),
        topic="user.password_reset_requested",
        data={"user": request.user.external_id, "at": iso(request.at)},
        user_id=request.user_id,
    )


def _told(change: StatusChange) -> Told:
    # Not why: the reason is the staff's note among themselves.
    return Told(
        key=selectors.key_of_status_change(change.pk),
        topic=change.topic,
        data={
            "user": change.user.external_id,
            "status": change.new,
            "previous_status": change.old,
            "until": iso(change.until) if change.until else None,
            "at": iso(change.at),
        },
        user_id=change.user_id,
    )
