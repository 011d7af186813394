"""Work of the audit log that runs by the clock."""

from datetime import datetime

from celery import shared_task
from django.contrib.auth import get_user_model

from audit import selectors, services


@shared_task
def verify_audit() -> None:
    """Every night: prove the log, keep what was found and anchor the head of the chain."""
    services.verify_audit(source="beat")


@shared_task
def verify_audit_for(user_id: int, asked_at: str) -> None:
    """Prove the log because a member of staff asked for it at ``asked_at`` (ISO 8601).

    Whoever asks again and again gets one answer: a run that began since is as good.
    """
    last = selectors.last_proof()
    if last is None or last.started_at < datetime.fromisoformat(asked_at):
        services.verify_audit(source="staff", actor=get_user_model().objects.get(pk=user_id))
