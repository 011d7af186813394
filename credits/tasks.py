"""Work of the ledger that runs by the clock."""

from datetime import datetime, timedelta

from celery import shared_task

from accounts.models import User
from credits import selectors, services


@shared_task
def expire_credits() -> None:
    """Every few minutes: book what has lapsed and expire due holds."""
    services.expire_credits()


@shared_task
def settle_merged() -> None:
    """Every few minutes: what was booked since on accounts that were merged goes on to those who stayed."""
    services.settle_merged()


@shared_task
def reset_allowances() -> None:
    """Every few minutes: begin the allowance periods that are due."""
    services.reset_allowances()


@shared_task
def tell_of_movements(hours: float = 0.25) -> None:
    """Every minute: tell the product of allowances and of balances that ran low in the last ``hours``."""
    services.tell_of_movements(look_back=timedelta(hours=hours))


@shared_task
def verify_ledger() -> None:
    """Every night: prove the ledger and keep what was found."""
    services.verify_ledger(source="beat")


@shared_task
def verify_ledger_for(user_id: int, asked_at: str) -> None:
    """Prove the ledger because a member of staff asked for it at ``asked_at`` (ISO 8601).

    Whoever asks again and again gets one answer: a run that began since is as good.
    """
    last = selectors.last_integrity_run()
    if last is None or last.started_at < datetime.fromisoformat(asked_at):
        services.verify_ledger(source="staff", actor=User.objects.get(pk=user_id))
