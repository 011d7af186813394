"""A message as the product gets it, by webhook and by the feed alike."""

import json
from datetime import UTC

from jobs.models import OutboxMessage


def envelope(message: OutboxMessage) -> bytes:
    """``{"id", "topic", "created_at", "data"}``, the same bytes, and so the same id, however often it is sent."""
    told = {
        "id": message.pk,
        "topic": message.topic,
        "created_at": message.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": message.payload,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
