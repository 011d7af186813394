"""The inbox: an event is kept before anyone looks at what it means, and none is lost."""

from contextlib import nullcontext
from datetime import timedelta

from django.db import DataError, IntegrityError, connection, transaction

from backoffice.lib import clock
from billing.envelopes import Envelope, read_envelope
from billing.models import EventSource, StripeEvent

# A nudge takes it to a worker at once; the sweep takes it up if that got lost.
SWEEP_GRACE = timedelta(seconds=10)
# For so long the sweep leaves a row alone that it handed to a worker.
LEASE = timedelta(minutes=2)


def receive_event(*, body: bytes, source: EventSource = EventSource.WEBHOOK) -> StripeEvent | None:
    """Keep one event, whose signature was verified or which we fetched; None if it is kept already.

    Raises MalformedEvent if the body is no event.
    """
    event = _event(read_envelope(body), body, source)
    try:
        is_new = _insert(event)
    except DataError:
        # JSON knows \u0000 and lone surrogates, jsonb does not. The bytes are kept all the same.
        event.payload = None
        is_new = _insert(event)
    return event if is_new else None


@transaction.atomic
def claim_due_events(*, limit: int) -> list[int]:
    """Ids of events that wait for a worker and are due, each handed out once in LEASE."""
    now = clock.now()
    due = StripeEvent.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    StripeEvent.objects.filter(pk__in=ids).update(next_attempt_at=now + LEASE)
    return ids


def _event(envelope: Envelope, body: bytes, source: EventSource) -> StripeEvent:
    now = clock.now()
    return StripeEvent(
        stripe_id=envelope.stripe_id,
        type=envelope.type,
        api_version=envelope.api_version,
        livemode=envelope.livemode,
        body=body,
        payload=envelope.payload,
        stripe_created=envelope.created,
        object_id=envelope.object_id,
        payment_intent_id=envelope.payment_intent_id,
        invoice_id=envelope.invoice_id,
        subscription_id=envelope.subscription_id,
        source=source,
        received_at=now,
        next_attempt_at=now + SWEEP_GRACE,
    )


def _insert(event: StripeEvent) -> bool:
    # One statement is its own transaction; inside another one a savepoint keeps its failure to itself.
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            event.save(force_insert=True)
    except IntegrityError:
        if not StripeEvent.objects.filter(stripe_id=event.stripe_id).exists():
            raise
        return False
    return True
