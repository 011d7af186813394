"""What workers do with what waits. Each task is told an id and does nothing if it is done already."""

from datetime import timedelta

from celery import shared_task

from backoffice.lib.nudge import nudge
from jobs import services
from jobs.services.results import forget_old_results

# Two workers' hands full for a while: the next sweep has the rest.
MESSAGES_AT_ONCE = 500
# Longer than anybody leaves the workers switched off unawares.
LOOK_BACK = timedelta(days=3)


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


@shared_task
def deliver_message(message_id: int, attempts: int) -> None:
    """Make one attempt to send a message: the one that follows the first ``attempts``."""
    services.deliver_message(message_id=message_id, attempts=attempts)


@shared_task
def sweep_outbox() -> None:
    """Hand out the messages that are due: their nudge was lost, their attempt failed, or its worker was killed."""
    claimed = services.claim_due_messages(limit=MESSAGES_AT_ONCE)
    for message_id, attempts in claimed:
        nudge(deliver_message, message_id, attempts)
    if len(claimed) == MESSAGES_AT_ONCE:
        nudge(sweep_outbox)


@shared_task
def tell_what_was_missed() -> None:
    """Tell the product of bans, suspensions and asked-for passwords whose hook was lost with its process."""
    services.tell_of_untold_status_changes(look_back=LOOK_BACK)
    services.tell_of_untold_reset_requests(look_back=LOOK_BACK)


@shared_task
def prune() -> None:
    """Every night: remove what is kept for a time only."""
    services.prune()
