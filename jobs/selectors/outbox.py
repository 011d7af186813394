"""What the outbox holds, and what it should hold and does not."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.db.models import CharField, Exists, Max, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import PasswordResetRequest, ResetWay, StatusChange, User
from accounts.selectors import is_id
from jobs.models import MessageState, OutboxMessage

STATUS_CHANGED = "user.status:"
RESET_REQUESTED = "user.password_reset:"
# Changes are few, and read from the newest: no index on their time is needed for that.
NEWEST_CHANGES = 10_000
MOST_COUNTED = 1_000
Row = TypeVar("Row", bound=Model)


def messages() -> QuerySet[OutboxMessage]:
    """All messages with whom they are about."""
    return OutboxMessage.objects.select_related("user")


def search_messages(rows: QuerySet[OutboxMessage], text: str) -> QuerySet[OutboxMessage]:
    """The message of this number, or those about the customer with this email or id of the product's."""
    term = text.replace("\x00", "").strip()
    if not term:
        return rows
    # The person first: by a join, all messages would be read.
    people = User.objects.with_email(term) if "@" in term else User.objects.filter(external_id=term)
    found = Q(user_id__in=list(people.values_list("pk", flat=True)[:1]))
    if is_id(term):
        found |= Q(pk=int(term))
    return rows.filter(found)


def messages_about(user_id: int) -> QuerySet[OutboxMessage]:
    """What was sent to a customer or told of them, newest first."""
    return OutboxMessage.objects.filter(user=user_id).order_by("-created_at", "-pk")


def messages_of_person(user_ids: Sequence[int], *, email: str) -> QuerySet[OutboxMessage]:
    """What tells of these customers, who are one person, or went to their address."""
    # No empty address, which the index leaves out: or all messages would be read.
    written_to = Q(recipient__iexact=email) & ~Q(recipient="")
    return OutboxMessage.objects.filter(Q(user_id__in=user_ids) | written_to)


def messages_to_send_again(*, state: str, since: datetime) -> QuerySet[OutboxMessage]:
    """Those in ``state`` that were written since ``since`` and still have their content."""
    return OutboxMessage.objects.filter(state=state, created_at__gte=since, forgotten_at=None)


def given_up() -> int:
    """How many messages were given up, counted to a thousand."""
    return OutboxMessage.objects.filter(state=MessageState.DEAD)[:MOST_COUNTED].count()


def unconfigured_channels() -> list[str]:
    """The channels that have no address, in words with what to set."""
    needed = {
        "Mail": settings.EMAIL_URL,
        "Slack": settings.SLACK_WEBHOOK_URL,
        "Webhooks to the product": settings.PRODUCT_WEBHOOK_URL and settings.PRODUCT_WEBHOOK_SECRETS,
    }
    return [channel for channel, address in needed.items() if not address]


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
