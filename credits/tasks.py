"""Work of the ledger that runs by the clock."""

from celery import shared_task

from credits import services


@shared_task
def expire_credits() -> None:
    """Every few minutes: book what has lapsed and expire due holds."""
    services.expire_credits()


@shared_task
def reset_allowances() -> None:
    """Every few minutes: begin the allowance periods that are due."""
    services.reset_allowances()


@shared_task
def verify_ledger() -> None:
    """Every night: prove the ledger and keep what was found."""
    services.verify_ledger(source="beat")
