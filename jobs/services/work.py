"""Asking for long work, and changing one's mind about it. What runs it is in ``running``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.nudge import nudge
from backoffice.lib.work import JobKind, job_kinds
from jobs.errors import NotAllowed, UnknownKind, WrongState
from jobs.models import ItemState, Job, JobItem, JobState
from jobs.models.work import UNFINISHED
from jobs.services.limits import Use, count_use, lock_staff

# Tasks stand above services, which tell them by name.
RUN_JOB = "jobs.tasks.run_job"
# A draft that nobody confirmed by then never will be.
DRAFTS_KEPT = timedelta(days=1)
# How old a nudge must be before the sweep takes it for lost.
NUDGE_PATIENCE = timedelta(seconds=20)
SWEPT_AT_ONCE = 200


def kind_of(key: str) -> JobKind:
    """The kind of job under this key. Raises UnknownKind."""
    kind = job_kinds.get(key)
    if kind is None:
        raise UnknownKind(key)
    return kind


def _checked(key: str, actor: User | None) -> JobKind:
    kind = kind_of(key)
    if actor is not None and not actor.has_perm(kind.permission):
        raise NotAllowed
    return kind


@transaction.atomic
def create_job(
    *,
    kind: str,
    actor: User | None,
    params: Mapping[str, Any] | None = None,
    reason: str = "",
    token: str | None = None,
    total: int | None = None,
) -> Job:
    """Queue work that does its own choosing of what it is done to; once for each ``token``.

    ``actor`` None is the system. Raises UnknownKind, NotAllowed.
    """
    _checked(kind, actor)
    values = {"kind": kind, "actor": actor, "params": dict(params or {}), "reason": reason, "total": total}
    if token is None:
        job, created = Job.objects.create(queued_at=clock.now(), **values), True
    else:
        job, created = Job.objects.get_or_create(token=token, defaults={"queued_at": clock.now(), **values})
    if created:
        nudge(RUN_JOB, job.pk)
        _record(Action.JOB_STARTED, job, actor, reason)
    return job


@transaction.atomic
def draft_job(*, kind: str, actor: User, targets: QuerySet[Any]) -> Job:
    """Fix what a job will be done to, by one statement however many there are. Raises UnknownKind, NotAllowed."""
    _checked(kind, actor)
    job = Job.objects.create(kind=kind, actor=actor, state=JobState.DRAFT)
    _add_items(job, targets)
    return job


@transaction.atomic
def start_draft(
    *,
    job_id: int,
    actor: User,
    params: Mapping[str, Any],
    reason: str,
    use: Use | None = None,
    approved_by: User | None = None,
) -> Job:
    """Queue a drafted job. One that is queued already, by a double click, stays as it is.

    ``use`` is counted against the limits of the actor, or of the second person who allowed it. Raises NotAllowed
    (somebody else's draft, or without the permission), WrongState (nothing to do it to), LimitExceeded.
    """
    if use is not None:
        lock_staff(approved_by or actor)
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    _checked(job.kind, actor)
    if job.actor_id != actor.pk:
        raise NotAllowed
    if job.state != (JobState.WAITING if approved_by else JobState.DRAFT):
        return job
    check_chosen(job)
    if use is not None:
        count_use(
            staff=approved_by or actor, verb=use.verb, amount=use.amount, key=f"job:{job.pk}", largest=use.largest
        )
    job.state, job.params, job.reason, job.queued_at = JobState.QUEUED, dict(params), reason, clock.now()
    job.save(update_fields=["state", "params", "reason", "queued_at"])
    nudge(RUN_JOB, job.pk)
    _record(Action.JOB_STARTED, job, actor, reason, approved_by=approved_by)
    return job


def check_chosen(job: Job) -> None:
    """Raise WrongState when a draft is for nobody."""
    if not job.total:
        raise WrongState("Nothing was chosen: go back to the list and choose whom it is for.")


@transaction.atomic
def cancel_job(*, job_id: int, actor: User) -> Job:
    """Stop a job: before it began, or after the few targets that it is at. What is done stays done.

    Raises NotAllowed, WrongState.
    """
    job = _own(job_id, actor)
    if job.state not in UNFINISHED:
        raise WrongState("The job has ended already.")
    job.cancel_requested = True
    if job.state == JobState.QUEUED:
        job.state, job.finished_at = JobState.CANCELED, clock.now()
    job.save(update_fields=["cancel_requested", "state", "finished_at"])
    _record(Action.JOB_CANCELED, job, actor, "")
    return job


@transaction.atomic
def retry_job(*, job_id: int, actor: User) -> Job:
    """Go on with a job that failed, where it stopped. Raises NotAllowed, WrongState."""
    job = _own(job_id, actor)
    _checked(job.kind, actor)
    if job.state != JobState.FAILED:
        raise WrongState("Only a job that failed can be run again.")
    if Job.objects.filter(undoes=job).exists():
        raise WrongState("What the job did was taken back: what it would do now could not be.")
    job.state, job.error, job.attempts, job.finished_at, job.queued_at = JobState.QUEUED, "", 0, None, clock.now()
    job.cancel_requested = False
    job.save(update_fields=["state", "error", "attempts", "finished_at", "queued_at", "cancel_requested"])
    nudge(RUN_JOB, job.pk)
    _record(Action.JOB_RETRIED, job, actor, "")
    return job


@transaction.atomic
def undo_job(*, job_id: int, actor: User, reason: str) -> Job:
    """Queue the job that takes back what an ended one did, as far as it can be; once.

    Raises NotAllowed, WrongState (not ended, no way back, nothing done), UnknownKind.
    """
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    kind = _checked(job.kind, actor)
    if not job.is_finished or not kind.undo:
        raise WrongState("This job cannot be undone.")
    known = Job.objects.filter(undoes=job).first()
    if known is not None:
        return known
    _checked(kind.undo, actor)
    done = JobItem.objects.filter(job=job, state=ItemState.DONE)
    undoing = Job.objects.create(
        kind=kind.undo, actor=actor, undoes=job, params=job.params, reason=reason, queued_at=clock.now()
    )
    _add_items(undoing, done, column="target_id")
    if not undoing.total:
        raise WrongState("The job did nothing that could be undone, or what it was done to is no longer known.")
    nudge(RUN_JOB, undoing.pk)
    _record(Action.JOB_UNDONE, undoing, actor, reason)
    return undoing


@transaction.atomic
def note_download(*, job: Job, actor: User) -> None:
    """Keep in the audit log who took the result of a job away."""
    _record(Action.JOB_DOWNLOADED, job, actor, "")


def due_jobs(*, limit: int = SWEPT_AT_ONCE) -> Sequence[int]:
    """Jobs that no worker seems to have: their nudge was lost, or their worker was killed. Oldest first."""
    before = clock.now() - NUDGE_PATIENCE
    due = Job.objects.filter(state__in=UNFINISHED, queued_at__lte=before).order_by("queued_at")
    return list(due.values_list("pk", flat=True)[:limit])


def drop_drafts() -> int:
    """Forget drafts that were never confirmed; how many."""
    old = Job.objects.filter(state=JobState.DRAFT, created_at__lt=clock.now() - DRAFTS_KEPT)
    _, deleted = old.delete()
    return deleted.get("jobs.Job", 0)


def _own(job_id: int, actor: User) -> Job:
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.actor_id != actor.pk and not actor.is_superuser:
        raise NotAllowed
    return job


def _add_items(job: Job, targets: QuerySet[Any], *, column: str = "pk") -> None:
    """Write the targets in one statement, and their number into the job."""
    try:
        query, parameters = targets.order_by().values(column).query.sql_with_params()
    except EmptyResultSet:
        job.total = 0
        job.save(update_fields=["total"])
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_jobitem (job_id, target_id, state, note) "  # noqa: S608 (Django wrote the query)
            f"SELECT %s, targets.id, 'pending', '' FROM ({query}) AS targets(id)",
            [job.pk, *parameters],
        )
        job.total = cursor.rowcount
    job.save(update_fields=["total"])


def _record(action: Action, job: Job, actor: User | None, reason: str, *, approved_by: User | None = None) -> None:
    values = {"kind": job.kind, "params": job.params, "total": job.total}
    if approved_by is not None:
        values["approved_by"] = str(approved_by)
    if job.undoes_id:
        values["undoes"] = job.undoes_id
    audit.record(action=action, actor=actor, resource=audit.Resource.of(job), new_values=values, reason=reason)
