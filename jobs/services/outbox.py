"""Writing messages. They are sent later, by a worker that is told of them and a sweep that is not."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from jobs.models import Channel, OutboxMessage


@transaction.atomic
def enqueue(
    *,
    key: str,
    channel: Channel,
    topic: str,
    recipient: str = "",
    subject: str = "",
    body: str = "",
    payload: Mapping[str, Any] | None = None,
    user_id: int | None = None,
    job_id: int | None = None,
) -> OutboxMessage:
    """Write a message in the transaction of what it tells of, once for each ``key``."""
    message, _ = OutboxMessage.objects.get_or_create(
        key=key,
        defaults={
            "channel": channel,
            "topic": topic,
            "recipient": recipient,
            "subject": subject,
            "body": body,
            "payload": dict(payload or {}),
            "user_id": user_id,
            "job_id": job_id,
        },
    )
    return message
