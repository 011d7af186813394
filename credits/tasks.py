"""Work of the ledger that runs by the clock."""

from celery import shared_task

from credits import services


@shared_task
def expire_credits() -> None:
    """Every few minutes: book what has lapsed."""
    services.expire_credits()
