"""What the outbox holds, and what it should hold and does not."""

from datetime import datetime
from typing import TypeVar

from django.db.models import CharField, Exists, Max, Model, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import PasswordResetRequest, ResetWay, StatusChange
from jobs.models import OutboxMessage

STATUS_CHANGED = "user.status:"
RESET_REQUESTED = "user.password_reset:"
# Changes are few, and read from the newest: no index on their time is needed for that.
NEWEST_CHANGES = 10_000
Row = TypeVar("Row", bound=Model)


def untold(rows: QuerySet[Row], prefix: str) -> QuerySet[Row]:
    """Those of ``rows`` of whom no message tells whose key is ``prefix`` and their id."""
    key = Concat(Value(prefix), Cast(OuterRef("pk"), CharField()))
    return rows.filter(~Exists(OutboxMessage.objects.filter(key=key)))


def key_of_status_change(change_id: int) -> str:
    """The key of the message that tells of one change."""
    return f"{STATUS_CHANGED}{change_id}"


def status_changes_to_tell() -> QuerySet[StatusChange]:
    """The changes of customers whom the product knows."""
    known = StatusChange.objects.filter(user__external_id__isnull=False, user__is_staff=False)
    return known.select_related("user").order_by("pk")


def key_of_reset_request(request_id: int) -> str:
    """The key of the message that tells of one request for a new password."""
    return f"{RESET_REQUESTED}{request_id}"


def reset_requests_to_tell() -> QuerySet[PasswordResetRequest]:
    """The requests that are the product's to carry out."""
    asked = PasswordResetRequest.objects.filter(way=ResetWay.PRODUCT, user__external_id__isnull=False)
    return asked.select_related("user").order_by("pk")


def untold_reset_requests(*, since: datetime) -> QuerySet[PasswordResetRequest]:
    """Those since ``since`` of which no message tells."""
    newest = PasswordResetRequest.objects.aggregate(newest=Max("pk"))["newest"] or 0
    recent = reset_requests_to_tell().filter(pk__gt=newest - NEWEST_CHANGES, at__gte=since)
    return untold(recent, RESET_REQUESTED)


def untold_status_changes(*, since: datetime) -> QuerySet[StatusChange]:
    """Those since ``since`` of which no message tells."""
    newest = StatusChange.objects.aggregate(newest=Max("pk"))["newest"] or 0
    recent = status_changes_to_tell().filter(pk__gt=newest - NEWEST_CHANGES, at__gte=since)
    return untold(recent, STATUS_CHANGED)
