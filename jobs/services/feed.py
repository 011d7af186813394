"""The feed: what the product was sent, or would have been, in an order that never changes.

Ids are given before the commit, so a lower one may appear after a higher one was read, and would be missed. A place
in the feed is given afterwards, to what is committed, by one at a time.
"""

from collections.abc import Sequence

from django.db import connection, transaction

from jobs.errors import UnknownEvent
from jobs.models import Channel, OutboxMessage

# "feed" in the upper half: no other advisory lock of the house meets it.
LOCK = 0x66656564 << 32
PLACED_AT_ONCE = 5000


def events_after(*, after: int | None, limit: int) -> Sequence[OutboxMessage]:
    """The webhooks that follow the one with the id ``after``, or the oldest ones. Raises UnknownEvent.

    Those whose content was removed for its age are left out.
    """
    feed = OutboxMessage.objects.filter(channel=Channel.WEBHOOK, position__isnull=False, forgotten_at=None)
    _place_new_ones()
    if after is not None:
        known = OutboxMessage.objects.filter(pk=after, channel=Channel.WEBHOOK, position__isnull=False)
        position = known.values_list("position", flat=True).first()
        if position is None:
            raise UnknownEvent(after)
        feed = feed.filter(position__gt=position)
    return list(feed.order_by("position")[:limit])


def _place_new_ones() -> None:
    waiting = OutboxMessage.objects.filter(channel=Channel.WEBHOOK, position=None)
    if not waiting.exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(PLACE, [PLACED_AT_ONCE])


# Under the lock, and in a statement that begins after it was taken: it sees every place that was given before.
PLACE = """
UPDATE jobs_outboxmessage message SET position = placed.position
FROM (
    SELECT id, row_number() OVER (ORDER BY id)
        + coalesce((SELECT max(position) FROM jobs_outboxmessage), 0) AS position
    FROM (
        SELECT id FROM jobs_outboxmessage WHERE channel = 'webhook' AND position IS NULL ORDER BY id LIMIT %s
    ) unplaced
) placed
WHERE message.id = placed.id
"""
