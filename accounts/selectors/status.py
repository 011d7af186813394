"""Reads of how the status of customers changed."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Customer, StatusChange


def status_history(*, user_id: int) -> QuerySet[StatusChange]:
    """What was done to a customer's status, newest first, with who did it."""
    return StatusChange.objects.filter(user_id=user_id).select_related("actor").order_by("-pk")


def statuses_due(*, now: datetime) -> list[int]:
    """Ids of the customers whose suspension or ban is over at ``now`` and not yet lifted."""
    due = Customer.objects.filter(status_until__isnull=False, status_until__lte=now).exclude(status="active")
    return list(due.order_by("pk").values_list("pk", flat=True))
