"""Work on imports that runs by the clock."""

from celery import shared_task

from imports import services


@shared_task
def forget_old_files() -> None:
    """Every hour: delete the uploaded files whose time is over."""
    services.forget_old_files()
