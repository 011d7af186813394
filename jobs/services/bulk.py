"""Bulk acts: a draft becomes a job, at once or when a second person has allowed it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from backoffice.lib import clock
from backoffice.lib.work import BulkAction, bulk_actions
from jobs import selectors
from jobs.errors import NotAllowed, UnknownKind, WrongState
from jobs.models import Approval, Job, JobState
from jobs.services.approvals import request_approval
from jobs.services.limits import Use, lock_staff
from jobs.services.work import check_chosen, start_draft


def bulk_action(key: str) -> BulkAction:
    """The bulk act of this key. Raises UnknownKind."""
    action = bulk_actions.get(key)
    if action is None:
        raise UnknownKind(key)
    return action


def use_of(job: Job, params: Mapping[str, Any]) -> Use | None:
    """What a bulk act would use of its limit now, for those whom it would not leave out; None if it has no limit."""
    action = bulk_action(job.kind)
    if not action.limited_verb or action.amount_of is None:
        return None
    each = action.amount_of(params)
    count = selectors.split(job, action.refusals).doable_count
    return Use(action.limited_verb, amount=each * count, largest=each)


def start_bulk(*, job_id: int, actor: User, params: Mapping[str, Any], reason: str) -> Job:
    """Queue a drafted bulk act, counted against the actor's limits; once.

    Raises UnknownKind, NotAllowed, WrongState, LimitExceeded.
    """
    use = use_of(Job.objects.get(pk=job_id), params)
    return start_draft(job_id=job_id, actor=actor, params=params, reason=reason, use=use)


@transaction.atomic
def request_bulk(*, job_id: int, actor: User, params: Mapping[str, Any], reason: str) -> Approval:
    """Ask that a second person allow a drafted bulk act above the actor's limits; once.

    Raises UnknownKind, NotAllowed, WrongState.
    """
    # People are locked before what is theirs, as by whoever starts it.
    lock_staff(actor)
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.actor_id != actor.pk:
        raise NotAllowed
    if job.state not in (JobState.DRAFT, JobState.WAITING):
        raise WrongState("This has been started already.")
    check_chosen(job)
    if job.state == JobState.DRAFT:
        job.state, job.params, job.reason = JobState.WAITING, dict(params), reason
        job.save(update_fields=["state", "params", "reason"])
    use = use_of(job, job.params)
    return request_approval(
        verb=job.kind,
        params={"job": job.pk},
        amount=use.amount if use else Decimal(0),
        resource=(selectors.JOB, str(job.pk)),
        actor=actor,
        reason=job.reason,
        # Not the key of its use: that is counted when this is allowed, and the job's state says that it is so once.
        token=f"job:{job.pk}:approval",
    )


def start_approved(params: Mapping[str, Any], *, requested_by: User, decided_by: User, reason: str, key: str) -> str:
    """Queue the bulk act that a second person allows, in the name of who asked; what comes of it is on its page."""
    job = Job.objects.get(pk=params["job"])
    if job.state != JobState.WAITING:
        raise WrongState("This has been started or given up already.")
    start_draft(
        job_id=job.pk,
        actor=requested_by,
        params=job.params,
        reason=reason,
        use=use_of(job, job.params),
        approved_by=decided_by,
    )
    return f"Job {job.pk} has begun."


def give_up(params: Mapping[str, Any], why: str) -> None:
    """End the bulk act whose request was not granted."""
    job = Job.objects.select_for_update(no_key=True).get(pk=params["job"])
    if job.state == JobState.WAITING:
        job.state, job.finished_at, job.message = JobState.CANCELED, clock.now(), why[:500]
        job.save(update_fields=["state", "finished_at", "message"])
