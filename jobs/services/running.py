"""Carrying out a job, on a worker. A job may be taken up again at any moment, by another worker too.

Whoever runs a job holds a lock of its session on the job's id, which goes with the session: a killed worker leaves no
lease to wait for, and two workers that are told of one job do not both run it. The notes on how far a job is are
written in the transaction of the work they tell of.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F, QuerySet

from accounts.models import User
from backoffice.lib import clock
from backoffice.lib.work import ItemOutcome, JobKind
from jobs.errors import JobCanceled, NoMoreAllowed, UnknownKind, WorkError
from jobs.models import ItemState, Job, JobItem, JobState
from jobs.models.work import UNFINISHED
from jobs.services import results
from jobs.services.work import kind_of

logger = structlog.get_logger(__name__)

# After that many workers died over a job, the job is what kills them.
MOST_ATTEMPTS = 5
# The upper half of the lock's key: "jobs", so that no other advisory lock of the house meets it.
LOCK_SPACE = 0x6A6F6273
NOTE_LENGTH, TEXT_LENGTH = 300, 500


def run_job(*, job_id: int) -> None:
    """Run a job to its end, unless somebody else is at it or it has ended. A lost database leaves it to the sweep."""
    with _lock(job_id) as is_mine:
        if not is_mine or (job := _begin(job_id)) is None:
            return
        try:
            _run(job, kind_of(job.kind))
        except JobCanceled:
            _end(job, JobState.CANCELED)
        except (OperationalError, InterfaceError):
            raise
        except UnknownKind as error:
            _end(job, JobState.FAILED, error=str(error))
        except Exception as error:
            logger.exception("a job failed", job=job.pk, kind=job.kind)
            _end(job, JobState.FAILED, error=f"Something went wrong ({type(error).__name__}). It has been logged.")


@contextmanager
def _lock(job_id: int) -> Iterator[bool]:
    key = (LOCK_SPACE << 32) | (job_id & 0xFFFFFFFF)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_mine,) = cursor.fetchone() or (False,)
    try:
        yield is_mine
    finally:
        # A session that was lost has lost its locks too.
        if is_mine and not connection.closed_in_transaction and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@transaction.atomic
def _begin(job_id: int) -> Job | None:
    job = Job.objects.select_for_update(no_key=True).filter(pk=job_id, state__in=UNFINISHED).first()
    if job is None:
        return None
    if job.attempts >= MOST_ATTEMPTS:
        _end(job, JobState.FAILED, error=f"{MOST_ATTEMPTS} workers were lost over it.")
        return None
    job.state, job.attempts, job.started_at = JobState.RUNNING, job.attempts + 1, job.started_at or clock.now()
    job.save(update_fields=["state", "attempts", "started_at"])
    return job


def _end(job: Job, state: JobState, *, error: str = "") -> None:
    job.state, job.finished_at, job.error = state, clock.now(), error[:TEXT_LENGTH]
    job.save(update_fields=["state", "finished_at", "error", "message"])


def _run(job: Job, kind: JobKind) -> None:
    running = RunningJob(job, kind.permission)
    try:
        running.stop_if_unwanted()
        if kind.do is not None:
            while _do_some(running, kind):
                pass
        elif kind.whole is not None:
            kind.whole(running)
    except JobCanceled:
        raise
    except WorkError as refusal:
        _end(job, JobState.FAILED, error=str(refusal))
    except kind.refusals as refusal:
        _end(job, JobState.FAILED, error=str(refusal))
    else:
        _end(job, JobState.DONE)
    finally:
        running.close()


@transaction.atomic
def _do_some(running: "RunningJob", kind: JobKind) -> bool:
    """The next few targets and the note that they are done, together. False when none are left."""
    job = running.job
    pending = JobItem.objects.filter(job=job, state=ItemState.PENDING).order_by("target_id")
    targets = list(pending.values_list("target_id", flat=True)[: kind.at_once])
    if not targets:
        return False
    running.stop_if_unwanted()
    outcomes = kind.do(running, targets) if kind.do else ()
    _note_outcomes(job, targets, outcomes)
    return True


def _note_outcomes(job: Job, targets: list[int], outcomes: Any) -> None:
    told: Mapping[int, ItemOutcome] = {outcome.target_id: outcome for outcome in outcomes}
    items = list(JobItem.objects.filter(job=job, target_id__in=targets))
    for item in items:
        outcome = told[item.target_id]
        item.state = ItemState.DONE if outcome.is_done else ItemState.REFUSED
        item.note = outcome.note[:NOTE_LENGTH]
    JobItem.objects.bulk_update(items, ["state", "note"])
    refused = sum(item.state == ItemState.REFUSED for item in items)
    # What gets on is not what workers die over: a long job outlives any number of them.
    Job.objects.filter(pk=job.pk).update(done=F("done") + len(items), refused=F("refused") + refused, attempts=1)


class RunningJob:
    """What a kind of work sees of its job (``backoffice.lib.work.Running``)."""

    def __init__(self, job: Job, permission: str) -> None:
        self.job, self._permission = job, permission
        self._aside: Any = None

    @property
    def id(self) -> int:
        return self.job.pk

    @property
    def params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.job.params
        return params

    @property
    def reason(self) -> str:
        return self.job.reason

    @property
    def actor_id(self) -> int | None:
        return self.job.actor_id

    @property
    def undoes_id(self) -> int | None:
        return self.job.undoes_id

    @property
    def targets(self) -> QuerySet[Any]:
        return JobItem.objects.filter(job=self.job).values("target_id")

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how far it is, on a connection of its own: a long transaction's notes would be seen at its end only."""
        self.stop_if_unwanted()
        with self._beside().cursor() as cursor:
            cursor.execute(
                "UPDATE jobs_job SET done = %s, total = coalesce(%s, total) WHERE id = %s", [done, total, self.id]
            )

    def result(self, name: str) -> Any:
        return results.writing(self.job, name)

    def say(self, message: str) -> None:
        self.job.message = message[:TEXT_LENGTH]

    def stop_if_unwanted(self) -> None:
        """Raise JobCanceled, or NoMoreAllowed: a job outlives the session in which it was begun, not the right to."""
        if Job.objects.filter(pk=self.id, cancel_requested=True).exists():
            raise JobCanceled
        if self.actor_id is None:
            return
        actor = User.objects.get(pk=self.actor_id)
        if not (actor.is_staff and actor.has_perm(self._permission)):
            raise NoMoreAllowed(str(actor))

    def close(self) -> None:
        if self._aside is not None:
            self._aside.close()

    def _beside(self) -> Any:
        if not connection.in_atomic_block:
            return connection
        if self._aside is None:
            self._aside = connections.create_connection(DEFAULT_DB_ALIAS)
        return self._aside
