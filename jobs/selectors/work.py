"""Jobs as staff see them."""

from typing import Any

from django.db.models import QuerySet

from backoffice.lib import clock
from backoffice.lib.work import job_kinds
from jobs.models import Approval, ItemState, Job, JobItem, JobState
from jobs.selectors.approvals import may_decide

SEE_ALL = "jobs.view_all_jobs"
# What a request for an approval is about when it is about a job.
JOB = "jobs.job"


def may_have_jobs(user: Any) -> bool:
    """Whether there is any work that this person may ask for, or see."""
    return bool(user.has_perm(SEE_ALL)) or any(user.has_perm(kind.permission) for kind in job_kinds)


def jobs_seen_by(user: Any) -> QuerySet[Job]:
    """One's own jobs, or everybody's with the permission for it; drafts are nobody's business but their author's."""
    jobs = Job.objects.select_related("actor", "undoes", "undone_by").exclude(state=JobState.DRAFT)
    return jobs if user.has_perm(SEE_ALL) else jobs.filter(actor=user.pk)


def job_seen_by(user: Any, job_id: int) -> Job | None:
    """The job, if the reader may open it: their own, drafts included, or anybody's with the permission for it."""
    job = Job.objects.select_related("actor", "undoes", "undone_by").filter(pk=job_id).first()
    return job if job and may_see(user, job) else None


def may_see(user: Any, job: Job) -> bool:
    """Whether the reader may open the job: theirs, with the permission for all, or as the second person for it."""
    if job.actor_id == user.pk:
        return True
    return job.state != JobState.DRAFT and (user.has_perm(SEE_ALL) or _decides_on(user, job))


def _decides_on(user: Any, job: Job) -> bool:
    requests = Approval.objects.filter(resource_type=JOB, resource_id=str(job.pk))
    return any(request.decided_by_id == user.pk or may_decide(user, request) for request in requests)


def result_is_there(user: Any, job: Job) -> bool:
    """Whether the reader may download the result now: asked anew each time, since rights and files go."""
    kind = job_kinds.get(job.kind)
    return (
        kind is not None
        and may_see(user, job)
        and user.has_perm(kind.permission)
        and bool(job.result_file)
        and job.result_until is not None
        and job.result_until > clock.now()
    )


def is_undoable(job: Job) -> bool:
    """Whether the job has ended, did something that its kind can take back, and that has not been asked for yet."""
    kind = job_kinds.get(job.kind)
    is_taken_back = getattr(job, "undone_by", None) is not None
    return bool(kind and kind.undo) and job.is_finished and job.done > job.refused and not is_taken_back


def may_undo(user: Any, job: Job) -> bool:
    """Whether the reader may take back what the job did."""
    kind = job_kinds.get(job.kind)
    undo = job_kinds.get(kind.undo) if kind else None
    return (
        kind is not None
        and undo is not None
        and is_undoable(job)
        and user.has_perm(kind.permission)
        and user.has_perm(undo.permission)
    )


def refused_items(job: Job, *, after: int = 0) -> QuerySet[JobItem]:
    """The targets that were left as they were, in order, from beyond the target ``after`` on."""
    return JobItem.objects.filter(job=job, state=ItemState.REFUSED, target_id__gt=after).order_by("target_id")
