"""Writing messages. They are sent later, by a worker that is told of them and a sweep that is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.nudge import nudge
from jobs import selectors
from jobs.errors import InvalidMessage, WrongState
from jobs.models import Channel, MessageState, OutboxMessage

DELIVER, SWEEP = "jobs.tasks.deliver_message", "jobs.tasks.sweep_outbox"
SET_ASIDE = (MessageState.DEAD, MessageState.UNCONFIGURED)
# A nudge takes it to a worker at once; the sweep takes it up if that got lost.
SWEEP_GRACE = timedelta(seconds=10)
SUBJECT_LENGTH = OutboxMessage._meta.get_field("subject").max_length or 0


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
    """Write a message in the transaction of what it tells of, once for each ``key``.

    ``payload`` is the data of a webhook; mail and Slack send ``body``. Raises InvalidMessage when a header of a mail
    would become two, or when there is nobody to send it to.
    """
    if channel == Channel.MAIL:
        _refuse_headers(recipient, subject)
    message, is_new = OutboxMessage.objects.get_or_create(
        key=key,
        defaults={
            "channel": channel,
            "topic": topic,
            "recipient": recipient,
            "subject": subject[:SUBJECT_LENGTH],
            "body": body,
            "payload": dict(payload or {}),
            "user_id": user_id,
            "job_id": job_id,
            "next_attempt_at": clock.now() + SWEEP_GRACE,
        },
    )
    if is_new:
        nudge(DELIVER, message.pk, message.attempts)
    return message


@dataclass(frozen=True)
class Mail:
    """A mail to a customer, of a job that writes many."""

    key: str
    recipient: str
    subject: str
    body: str
    user_id: int


@transaction.atomic
def enqueue_mails(mails: Sequence[Mail], *, topic: str, job_id: int) -> None:
    """Write many mails in the transaction of what they tell of, each once for its key, by one statement.

    Raises InvalidMessage, as ``enqueue`` does.
    """
    for mail in mails:
        _refuse_headers(mail.recipient, mail.subject)
    now = clock.now()
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                key=mail.key,
                channel=Channel.MAIL,
                topic=topic,
                recipient=mail.recipient,
                subject=mail.subject[:SUBJECT_LENGTH],
                body=mail.body,
                user_id=mail.user_id,
                job_id=job_id,
                next_attempt_at=now,
            )
            for mail in mails
        ],
        ignore_conflicts=True,
    )
    nudge(SWEEP)


def _refuse_headers(recipient: str, subject: str) -> None:
    if not recipient:
        raise InvalidMessage("A mail needs a recipient.")
    for text, what in ((recipient, "The recipient"), (subject, "The subject")):
        if not is_one_line(text):
            raise InvalidMessage(f"{what} of a mail must be one line.")


def is_one_line(text: str) -> bool:
    """Whether ``text`` can stand in the head of a mail."""
    # Not only \n: some mail servers take others for the end of a line, as str.splitlines does.
    return text.splitlines() in ([], [text]) and "\x00" not in text


@transaction.atomic
def send_again(*, message_id: int, actor: User, reason: str = "") -> OutboxMessage:
    """Have a message sent once more, now, whatever became of it; with the same id and with all its attempts anew.

    Raises OutboxMessage.DoesNotExist, WrongState when its content was removed.
    """
    message = OutboxMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.forgotten_at is not None:
        raise WrongState("Its content was removed for its age: there is nothing left to send.")
    old = {"state": message.state, "attempts": message.attempts}
    message.state, message.attempts, message.sent_at, message.last_error = MessageState.PENDING, 0, None, ""
    message.next_attempt_at = clock.now()
    message.save(update_fields=["state", "attempts", "sent_at", "last_error", "next_attempt_at"])
    nudge(DELIVER, message.pk, message.attempts)
    audit.record(
        action=Action.MESSAGE_SENT_AGAIN,
        actor=actor,
        resource=audit.Resource(OutboxMessage._meta.label_lower, str(message.pk), f"{message.topic} {message.pk}"),
        old_values=old,
        new_values={"state": message.state, "attempts": message.attempts},
        reason=reason,
    )
    return message


@transaction.atomic
def send_all_again(*, state: str, since: datetime, actor: User, reason: str) -> int:
    """Have every message in ``state`` (given up or not configured) that was written since ``since`` sent once more.

    For after an outage, or once a channel has got its address. How many they are.
    """
    if state not in SET_ASIDE:
        raise WrongState("Only what was given up or set aside is sent again at once.")
    messages = selectors.messages_to_send_again(state=state, since=since)
    count = messages.update(
        state=MessageState.PENDING, attempts=0, sent_at=None, last_error="", next_attempt_at=clock.now()
    )
    nudge(SWEEP)
    audit.record(
        action=Action.MESSAGE_SENT_AGAIN,
        actor=actor,
        resource=audit.Resource(OutboxMessage._meta.label_lower, "", f"{count} messages"),
        old_values={"state": state, "since": since.isoformat()},
        new_values={"state": MessageState.PENDING, "messages": count},
        reason=reason,
    )
    return count
