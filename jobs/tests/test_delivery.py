"""Messages as workers send them: signed, tried again for a day and a half, given up, and never twice by two at once."""

import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.lives import Known
from jobs import services, tasks
from jobs.models import Channel, Delivery, MessageState, OutboxMessage
from jobs.services import delivery, lives
from jobs.services.channels import Answer, http
from jobs.services.delivery import BACKOFF, LEASE, MOST_ATTEMPTS
from jobs.tests.product import listening, says
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

SECRET, NEXT_SECRET = "a-secret-of-the-product", "another-secret-in-rotation"


@pytest.fixture
def product(settings):
    with listening() as product:
        settings.PRODUCT_WEBHOOK_URL, settings.PRODUCT_WEBHOOK_SECRETS = product.url, [SECRET]
        yield product


def written(key="k", **values):
    told = {"channel": Channel.WEBHOOK, "topic": "user.banned", "payload": {"user": "u_1"}, **values}
    return services.enqueue(key=key, **told)


def attempt(message):
    message.refresh_from_db()
    tasks.deliver_message(message.pk, message.attempts)
    message.refresh_from_db()
    return message


def verified(body, header, secret, *, at):
    """What the product does with a delivery, written from the documentation and not from our code."""
    parts = [part.split("=", 1) for part in header.split(",")]
    [told] = [value for name, value in parts if name == "t"]
    expected = hmac.new(secret.encode(), f"{told}.".encode() + body, hashlib.sha256).hexdigest()
    fits = any(hmac.compare_digest(value, expected) for name, value in parts if name == "v1")
    return fits and abs(at - int(told)) <= 300


def test_a_webhook_is_one_signed_post_that_the_product_can_verify(product):
    message = attempt(written(payload={"user": "u_1", "reason": "Zoë — 木 </script>"}))
    assert message.state == MessageState.SENT
    [(body, headers)] = product.got
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    signed = headers["Backoffice-Signature"]
    assert verified(body, signed, SECRET, at=time.time())
    assert not verified(body + b" ", signed, SECRET, at=time.time())
    assert not verified(body, signed, NEXT_SECRET, at=time.time())
    told = json.loads(body)
    assert set(told) == {"id", "topic", "created_at", "data"}
    assert (told["id"], told["topic"]) == (message.pk, "user.banned")
    assert told["data"] == {"user": "u_1", "reason": "Zoë — 木 </script>"}
    assert told["created_at"].endswith("Z")


def test_during_rotation_each_secret_verifies_what_is_sent(product, settings):
    settings.PRODUCT_WEBHOOK_SECRETS = [NEXT_SECRET, SECRET]
    attempt(written())
    [(body, headers)] = product.got
    for secret in (SECRET, NEXT_SECRET):
        assert verified(body, headers["Backoffice-Signature"], secret, at=time.time())


def test_the_attempt_is_kept_with_what_was_answered(product):
    product.answer = says(202, b"thanks \x00\xff" + b"x" * 10_000)
    message = attempt(written())
    delivery = Delivery.objects.get(message=message)
    assert (delivery.ok, delivery.status_code) == (True, 202)
    assert delivery.answer.startswith("thanks \ufffd")
    assert len(delivery.answer) == 500
    assert 0 <= delivery.took_ms < 10_000
    assert message.sent_at is not None


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (says(500, b"<b>broken</b>"), 500, "500: <b>broken</b>"),
        (says(404), 404, "404: "),
        (says(302, b"", Location="http://127.0.0.1:1/elsewhere"), 302, "302: Redirects are not followed."),
        (lambda handler: handler.wfile.write(b"\x00garbage\r\n\r\n"), None, "The connection failed"),
        (lambda handler: handler.connection.close(), None, "The connection failed"),
    ],
)
def test_whatever_is_not_a_yes_is_a_failure_that_is_tried_again(product, answer, status, told):
    product.answer = answer
    message = attempt(written())
    assert (message.state, message.attempts) == (MessageState.PENDING, 1)
    assert message.last_error.startswith(told)
    assert Delivery.objects.get(message=message).status_code == status
    assert len(product.got) == 1


def test_a_redirect_is_not_followed(product):
    with listening() as elsewhere:
        product.answer = says(307, b"", Location=elsewhere.url)
        attempt(written())
        assert elsewhere.got == []


def test_a_product_that_does_not_answer_is_left_after_the_timeout(product, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.2)
    product.answer = lambda handler: time.sleep(1)
    began = time.monotonic()
    message = attempt(written())
    assert time.monotonic() - began < 0.9
    assert message.last_error == "No answer within 0.2 seconds."


def test_an_answer_that_never_ends_does_not_hold_the_worker(product, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.3)

    def drips(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(30):
            handler.wfile.write(b".")
            time.sleep(0.05)

    product.answer = drips
    began = time.monotonic()
    assert attempt(written()).state == MessageState.SENT
    assert time.monotonic() - began < 1


def test_nobody_at_the_address_is_a_failure_too(product, settings):
    settings.PRODUCT_WEBHOOK_URL = "http://127.0.0.1:1/"
    assert "refused" in attempt(written()).last_error


def test_it_is_tried_again_later_and_later_and_then_given_up(product):
    product.answer = says(503, b"later")
    began = clock.now()
    message, moment, waits = written(), began, []
    for _ in range(MOST_ATTEMPTS):
        with clock.at(moment):
            attempt(message)
        waits.append(message.next_attempt_at - moment)
        moment = message.next_attempt_at
    assert waits[:-1] == list(BACKOFF)
    assert (message.state, message.last_error) == (MessageState.DEAD, "503: later")
    assert Delivery.objects.filter(message=message, ok=False).count() == MOST_ATTEMPTS == 7
    attempt(message)
    assert len(product.got) == MOST_ATTEMPTS


def test_every_attempt_tells_the_same_under_a_signature_of_its_own(product):
    product.answer = says(500)
    message = written()
    for later in range(2):
        with clock.at(clock.now() + timedelta(hours=later)):
            attempt(message)
    (first, one), (second, other) = product.got
    assert first == second
    assert one["Backoffice-Signature"] != other["Backoffice-Signature"]


def test_a_task_that_comes_twice_or_late_does_nothing(product):
    product.answer = says(500)
    message = written()
    for _ in range(3):
        tasks.deliver_message(message.pk, 0)
    assert len(product.got) == 1
    product.answer = says(200)
    tasks.deliver_message(message.pk, 1)
    for attempts in range(3):
        tasks.deliver_message(message.pk, attempts)
    assert len(product.got) == 2
    assert OutboxMessage.objects.get().state == MessageState.SENT


@pytest.mark.django_db(transaction=True)
def test_many_workers_told_of_one_message_send_it_once(product):
    message = written()
    answers = at_once([lambda: tasks.deliver_message(message.pk, 0)] * 6)
    assert answers == [None] * 6
    assert len(product.got) == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_hand_each_message_out_once():
    OutboxMessage.objects.bulk_create(
        OutboxMessage(key=f"k{number}", channel=Channel.WEBHOOK, topic="t") for number in range(40)
    )
    handed = at_once([lambda: services.claim_due_messages(limit=30)] * 4)
    assert sorted(pk for part in handed for pk, _ in part) == sorted(OutboxMessage.objects.values_list("pk", flat=True))
    assert services.claim_due_messages(limit=30) == []


def test_the_sweep_takes_up_what_is_due_and_nothing_else():
    lost, sent, later, dead = (written(key) for key in ("lost", "sent", "later", "dead"))
    OutboxMessage.objects.filter(pk=sent.pk).update(state=MessageState.SENT, sent_at=clock.now())
    OutboxMessage.objects.filter(pk=dead.pk).update(state=MessageState.DEAD)
    OutboxMessage.objects.filter(pk=later.pk).update(next_attempt_at=clock.now() + timedelta(hours=1))
    # A nudge is given a moment to arrive.
    assert services.claim_due_messages(limit=10) == []
    with clock.at(clock.now() + timedelta(seconds=30)):
        assert services.claim_due_messages(limit=10) == [(lost.pk, 0)]
        assert services.claim_due_messages(limit=10) == []
    with clock.at(clock.now() + timedelta(seconds=30) + LEASE):
        assert services.claim_due_messages(limit=10) == [(lost.pk, 0)]


def test_the_same_thing_is_told_once_however_often_it_is_noticed(product):
    one, other = written("user.banned:7"), written("user.banned:7", payload={"user": "else"})
    assert one.pk == other.pk
    attempt(one)
    assert json.loads(product.got[0][0])["data"] == {"user": "u_1"}


@pytest.mark.django_db(transaction=True)
def test_a_message_dies_with_the_transaction_of_what_it_tells_of():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        written()
        1 / 0  # noqa: B018
    assert not OutboxMessage.objects.exists()


def test_without_its_settings_a_channel_sends_nothing_and_the_message_says_so(settings):
    settings.EMAIL_URL = settings.PRODUCT_WEBHOOK_URL = settings.SLACK_WEBHOOK_URL = ""
    for channel, setting in [
        (Channel.MAIL, "EMAIL_URL"),
        (Channel.WEBHOOK, "PRODUCT_WEBHOOK_URL"),
        (Channel.SLACK, "SLACK_WEBHOOK_URL"),
    ]:
        message = attempt(written(channel, channel=channel, recipient="ada@example.com"))
        assert (message.state, message.attempts) == (MessageState.UNCONFIGURED, 0)
        assert setting in message.last_error
    assert not Delivery.objects.exists()


def test_unsigned_nothing_goes_to_the_product(product, settings):
    settings.PRODUCT_WEBHOOK_SECRETS = []
    assert attempt(written()).state == MessageState.UNCONFIGURED
    assert product.got == []


def test_what_was_given_up_or_set_aside_or_sent_can_be_sent_again_by_staff(product):
    clerk = StaffFactory()
    for state in (MessageState.DEAD, MessageState.UNCONFIGURED, MessageState.SENT):
        message = written(state)
        OutboxMessage.objects.filter(pk=message.pk).update(
            state=state, attempts=7, sent_at=clock.now() if state == MessageState.SENT else None
        )
        services.send_again(message_id=message.pk, actor=clerk, reason="asked for")
        assert attempt(message).state == MessageState.SENT
        assert json.loads(product.got[-1][0])["id"] == message.pk
    entry = AuditEntry.objects.filter(action="jobs.send_message_again").order_by("id").first()
    assert (entry.actor_id, entry.reason, entry.old_values) == (clerk.pk, "asked for", {"state": "dead", "attempts": 7})


def test_a_fault_of_ours_is_counted_and_told_like_any_other(product, monkeypatch, caplog):
    monkeypatch.setattr("jobs.services.channels.webhook.envelope", lambda message: 1 / 0)
    message = attempt(written())
    assert (message.state, message.attempts) == (MessageState.PENDING, 1)
    assert "ZeroDivisionError" in message.last_error
    assert "message_not_sent" in caplog.text


def test_slack_gets_plain_text_in_which_nothing_calls_or_links(settings):
    with listening() as slack:
        settings.SLACK_WEBHOOK_URL = slack.url
        message = attempt(written(channel=Channel.SLACK, body="<!channel> <https://evil|ours> & Zoë"))
        assert message.state == MessageState.SENT
        assert json.loads(slack.got[0][0]) == {"text": "&lt;!channel&gt; &lt;https://evil|ours&gt; &amp; Zoë"}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_locked_while_the_other_side_thinks(product):
    message, seen = written(), []

    def looks(handler):
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM jobs_outboxmessage FOR UPDATE NOWAIT")
            seen.append(cursor.fetchall())
        connection.close()
        says(200)(handler)

    product.answer = looks
    attempt(message)
    assert seen == [[(message.pk,)]]


def test_what_is_answered_about_somebody_who_was_forgotten_meanwhile_is_not_kept(monkeypatch):
    customer = CustomerFactory()

    def send(message):
        lives.forget([customer.pk], Known(email=customer.email, external_id=None, stripe_customer_id=None))
        return Answer(ok=False, text=f"We know no {customer.email}.")

    monkeypatch.setitem(delivery.SENDERS, Channel.WEBHOOK, send)
    message = attempt(written(user_id=customer.pk))
    assert message.forgotten_at is not None
    assert [(told.ok, told.answer) for told in message.deliveries.all()] == [(False, "")]


def test_a_subject_is_kept_as_far_as_there_is_room():
    message = written(channel=Channel.MAIL, recipient="ada@example.com", subject="x" * 500)
    assert message.subject == "x" * 300
