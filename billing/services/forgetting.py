"""What Stripe's events said, removed for its age. That they came, and what was booked from them, stays."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from billing.models import EventState, StripeEvent

SETTLED = (EventState.PROCESSED, EventState.IGNORED)
# The hash is the database's own, and its guard takes no other.
EMPTY = """
UPDATE billing_stripeevent SET body_sha256 = encode(sha256(body), 'hex'), body = '', payload = NULL
WHERE id = ANY(%s)
"""


def old_events(before: datetime) -> QuerySet[StripeEvent]:
    """Events from before ``before`` that have taken effect, or needed none, and still have their content."""
    return StripeEvent.objects.filter(received_at__lt=before, state__in=SETTLED).exclude(body=b"")


@transaction.atomic
def remove_contents(before: datetime, limit: int) -> int:
    """Empty the oldest settled events, leaving the hash of what came; how many."""
    oldest = old_events(before).order_by("received_at").select_for_update(skip_locked=True, no_key=True)
    old = list(oldest.values_list("pk", flat=True)[:limit])
    if old:
        with connection.cursor() as cursor:
            cursor.execute(EMPTY, [old])
    return len(old)
