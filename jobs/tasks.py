"""What workers do with what waits. Each task is told an id and does nothing if it is done already."""

from celery import shared_task

from backoffice.lib.nudge import nudge
from jobs import services
from jobs.services.results import forget_old_results


@shared_task
def run_job(job_id: int) -> None:
    """Run one job, or go on with it."""
    services.run_job(job_id=job_id)


@shared_task
def sweep_jobs() -> None:
    """Hand out jobs whose nudge was lost or whose worker was killed, and end what nobody wants any more."""
    for job_id in services.due_jobs():
        nudge(run_job, job_id)
    services.expire_approvals()
    services.drop_drafts()
    forget_old_results()
