"""What waits or was sent about a customer who is merged into another or is to be forgotten."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from backoffice.lib import clock
from backoffice.lib.lives import Known
from jobs import selectors
from jobs.models import Delivery, MessageState, OutboxMessage
from jobs.services.results import forget_results_about


def obstacles(survivor_id: int, merged_id: int) -> Sequence[str]:
    """A request about who is merged would be carried out on a row that is nobody's any more."""
    return about([merged_id])


def about(user_ids: Sequence[int]) -> list[str]:
    """The requests about these customers that wait for a second person, in words."""
    waiting = (
        approval
        for user_id in user_ids
        for approval in selectors.pending_about(resource_type="accounts.user", resource_id=str(user_id))
    )
    return [f"Request {approval.pk} waits for a second person: decide on it first." for approval in waiting]


def move_messages(*, survivor_id: int, merged_id: int, **_: Any) -> Mapping[str, Any]:
    """What was sent is part of what the survivor was told."""
    return {"messages": OutboxMessage.objects.filter(user_id=merged_id).update(user_id=survivor_id)}


@transaction.atomic
def forget(user_ids: Sequence[int], known: Known) -> Mapping[str, int]:
    """Empty what was written to a person or about them, and what the other side answered, and delete the files of jobs
    that name them. What waits is given up.
    """
    messages = selectors.messages_of_person(user_ids, email=known.email)
    ids = list(messages.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    told = OutboxMessage.objects.filter(pk__in=ids)
    told.filter(state=MessageState.PENDING).update(state=MessageState.DEAD)
    Delivery.objects.filter(message_id__in=ids).update(answer="")
    emptied = told.update(recipient="", subject="", body="", payload={}, last_error="", forgotten_at=clock.now())
    return {"messages": emptied, "results": forget_results_about([known.email])}
