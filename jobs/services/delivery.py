"""Sending what waits in the outbox: at least once, and by one worker at a time.

A worker takes a message by counting the attempt, in a transaction of its own; then it sends without any lock, and
writes down the answer. If it is killed in between, the sweep takes the message up again when its lease is over: the
other side may then get it twice, with the same id.
"""

import time
from datetime import timedelta

import structlog
from django.db import transaction

from backoffice.lib import clock
from jobs.models import Delivery, MessageState, OutboxMessage
from jobs.services.channels import SENDERS, Answer, NotConfigured
from jobs.services.channels.answers import TEXT_LENGTH

logger = structlog.get_logger(__name__)

# How long after each failed attempt the next one is due. After the last of them the message is given up.
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=24),
)
MOST_ATTEMPTS = len(BACKOFF) + 1
# For so long nobody else takes up what a worker was handed or has begun. No attempt takes longer.
LEASE = timedelta(minutes=2)


@transaction.atomic
def claim_due_messages(*, limit: int) -> list[tuple[int, int]]:
    """Messages that are due, with the attempts made so far: each handed out once in LEASE."""
    now = clock.now()
    due = OutboxMessage.objects.filter(state=MessageState.PENDING, next_attempt_at__lte=now)
    locked = due.order_by("next_attempt_at").select_for_update(skip_locked=True, no_key=True)
    claimed = list(locked.values_list("pk", "attempts")[:limit])
    OutboxMessage.objects.filter(pk__in=[pk for pk, _ in claimed]).update(next_attempt_at=now + LEASE)
    return claimed


def deliver_message(*, message_id: int, attempts: int) -> None:
    """Make the attempt that follows the first ``attempts``; nothing if it was made, or is under way.

    A failure is kept on the message, which is tried again later or given up.
    """
    taken = _take(message_id, attempts)
    if taken is None:
        return
    message, delivery = taken
    began = time.monotonic()
    try:
        answer = SENDERS[message.channel](message)
    except NotConfigured as error:
        _set_aside(message, delivery, str(error))
        return
    except Exception as error:
        # A fault of ours in one message must not keep its attempts from being counted and told.
        logger.exception("message_not_sent", message=message.pk, channel=message.channel)
        answer = Answer(ok=False, text=f"Our side failed ({type(error).__name__}). It has been logged.")
    _settle(message, delivery, answer, round((time.monotonic() - began) * 1000))


@transaction.atomic
def _take(message_id: int, attempts: int) -> tuple[OutboxMessage, Delivery] | None:
    """The message and the attempt that is now begun. Whoever is second finds the attempt counted."""
    waiting = OutboxMessage.objects.filter(pk=message_id, state=MessageState.PENDING, attempts=attempts)
    message = waiting.select_for_update(skip_locked=True, no_key=True).first()
    if message is None:
        return None
    if attempts >= MOST_ATTEMPTS:
        # Only an attempt whose worker was lost leaves such a message waiting.
        _give_up(message, "Its worker was lost at the last attempt.")
        return None
    now = clock.now()
    message.attempts, message.next_attempt_at = attempts + 1, now + LEASE
    message.save(update_fields=["attempts", "next_attempt_at"])
    return message, Delivery.objects.create(message=message, at=now)


@transaction.atomic
def _settle(taken: OutboxMessage, delivery: Delivery, answer: Answer, took_ms: int) -> None:
    message = OutboxMessage.objects.select_for_update(no_key=True).filter(pk=taken.pk).first()
    if message is None:
        return
    delivery.ok, delivery.status_code, delivery.took_ms = answer.ok, answer.status_code, took_ms
    # Whom it is about may have been forgotten while it was sent.
    delivery.answer = "" if message.forgotten_at else answer.text[:TEXT_LENGTH]
    delivery.save(update_fields=["ok", "status_code", "took_ms", "answer"])
    if message.state != MessageState.PENDING:
        return
    if answer.ok:
        message.state, message.sent_at, message.last_error = MessageState.SENT, clock.now(), ""
        message.save(update_fields=["state", "sent_at", "last_error"])
    # Whoever took so long that another attempt began has no say in when the next one is due.
    elif message.attempts == taken.attempts:
        _put_off(message, answer)


def _put_off(message: OutboxMessage, answer: Answer) -> None:
    if answer.is_final or message.attempts >= MOST_ATTEMPTS:
        _give_up(message, answer.error)
        return
    message.next_attempt_at, message.last_error = clock.now() + BACKOFF[message.attempts - 1], answer.error
    message.save(update_fields=["next_attempt_at", "last_error"])


def _give_up(message: OutboxMessage, error: str) -> None:
    message.state, message.last_error = MessageState.DEAD, error
    message.save(update_fields=["state", "last_error"])
    logger.warning("message_given_up", message=message.pk, topic=message.topic, error=error)


@transaction.atomic
def _set_aside(taken: OutboxMessage, delivery: Delivery, error: str) -> None:
    """Nothing was attempted, so nothing is counted."""
    delivery.delete()
    OutboxMessage.objects.filter(pk=taken.pk, state=MessageState.PENDING, attempts=taken.attempts).update(
        state=MessageState.UNCONFIGURED, attempts=taken.attempts - 1, last_error=error
    )
