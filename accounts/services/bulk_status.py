"""Shutting many customers out at once, as a job, and letting them in again."""

from collections.abc import Sequence
from datetime import datetime

from accounts.errors import AccountError
from accounts.models import Customer, Status, StatusChange, User
from accounts.services.customers import lock_customers
from accounts.services.status import ban_customer, undo_status_change
from backoffice.lib.work import ItemOutcome, Running


def ban_many(job: Running, user_ids: Sequence[int]) -> list[ItemOutcome]:
    """Ban each customer until the ``until`` of the job's params; who is banned already keeps that ban as it is."""
    actor, until = User.objects.get(pk=job.actor_id or 0), job.params.get("until")
    # In the order of their ids, as everybody locks people who locks more than one.
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=user_ids).order_by("pk")
    banned = {customer.pk for customer in locked if customer.status == Status.BANNED}
    return [
        ItemOutcome(user_id, is_done=False, note="The customer is banned already.")
        if user_id in banned
        else _banned(job, user_id, actor, datetime.fromisoformat(until) if until else None)
        for user_id in user_ids
    ]


def _banned(job: Running, user_id: int, actor: User, until: datetime | None) -> ItemOutcome:
    try:
        ban_customer(
            user_id=user_id,
            reason=job.reason,
            actor=actor,
            until=until,
            source=f"job:{job.id}",
            key=f"job:{job.id}:{user_id}",
        )
    except AccountError as error:
        return ItemOutcome(user_id, is_done=False, note=str(error))
    return ItemOutcome(user_id)


def undo_bans(job: Running, user_ids: Sequence[int]) -> list[ItemOutcome]:
    """Put each customer back to where the undone job found them, unless their status changed again since."""
    actor = User.objects.get(pk=job.actor_id or 0)
    lock_customers(user_ids)
    keys = [f"job:{job.undoes_id}:{user_id}" for user_id in user_ids]
    changes = dict(StatusChange.objects.filter(key__in=keys).values_list("user_id", "pk"))
    return [_undone(job, user_id, changes.get(user_id), actor) for user_id in user_ids]


def _undone(job: Running, user_id: int, change_id: int | None, actor: User) -> ItemOutcome:
    if change_id is None:
        return ItemOutcome(user_id, is_done=False, note="The customer was not banned by that job.")
    try:
        undo_status_change(change_id=change_id, actor=actor, source=f"job:{job.id}")
    except AccountError as error:
        return ItemOutcome(user_id, is_done=False, note=str(error))
    return ItemOutcome(user_id)
