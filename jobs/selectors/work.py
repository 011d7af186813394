"""Jobs as staff see them."""

from typing import Any

from django.db.models import QuerySet

from backoffice.lib import clock
from backoffice.lib.work import job_kinds
from jobs.models import Job, JobItem, JobState

SEE_ALL = "jobs.view_all_jobs"


def jobs_seen_by(user: Any) -> QuerySet[Job]:
    """One's own jobs, or everybody's with the permission for it; drafts are nobody's business but their author's."""
    jobs = Job.objects.select_related("actor").exclude(state=JobState.DRAFT)
    return jobs if user.has_perm(SEE_ALL) else jobs.filter(actor=user.pk)


def may_see(user: Any, job: Job) -> bool:
    """Whether the reader may open the job: it is theirs, or all are open to them."""
    return job.actor_id == user.pk or (job.state != JobState.DRAFT and user.has_perm(SEE_ALL))


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


def items_of(job: Job) -> QuerySet[JobItem]:
    """What the job is done to, in the order in which it is done."""
    return JobItem.objects.filter(job=job).order_by("target_id")
