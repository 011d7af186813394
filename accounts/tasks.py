"""Work on people that runs by the clock."""

from celery import shared_task

from accounts import services


@shared_task
def lift_due_statuses() -> None:
    """Every minute: let in again whose suspension or ban is over."""
    services.lift_due_statuses()
