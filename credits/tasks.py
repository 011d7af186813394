"""Work of the ledger that runs by the clock."""

from celery import shared_task

from accounts.models import User
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


@shared_task
def verify_ledger_for(user_id: int) -> None:
    """Prove the ledger because a member of staff asked for it."""
    services.verify_ledger(source="staff", actor=User.objects.get(pk=user_id))
