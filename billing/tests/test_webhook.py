"""The door: what is let in, what is refused, and that nothing but Stripe's leaves a row."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from django.core.handlers.wsgi import WSGIHandler

from backoffice.lib import clock
from billing.models import EventState, StripeEvent
from billing.services.processing import process_event
from billing.tests import stripe_bodies
from billing.tests.flow import ADDRESS, post
from billing.tests.stripe_bodies import encoded, event, intent_succeeded, payment_intent, signature

pytestmark = pytest.mark.django_db

OLD_SECRET = "whsec_before_the_rotation"


@pytest.fixture
def body():
    return encoded(intent_succeeded(payment_intent()))


def is_refused(response, status=400):
    assert (response.status_code, response["Content-Type"]) == (status, "text/plain; charset=utf-8")
    assert 0 < len(response.content) < 200
    assert not StripeEvent.objects.exists()
    return True


def test_a_signed_event_is_kept_to_the_byte_and_acknowledged(body):
    assert post(body).status_code == 200
    kept = StripeEvent.objects.get()
    told = json.loads(body)
    assert bytes(kept.body) == body
    assert kept.payload == told
    assert (kept.stripe_id, kept.type, kept.livemode) == (told["id"], "payment_intent.succeeded", False)
    assert kept.api_version == stripe_bodies.API_VERSION
    assert kept.stripe_created == datetime.fromtimestamp(stripe_bodies.CREATED, UTC)
    assert kept.object_id == kept.payment_intent_id == told["data"]["object"]["id"]
    assert (kept.state, kept.attempts) == (EventState.RECEIVED, 0)


def test_the_payment_of_an_object_is_found_by_id_or_whole():
    for subject in ({"id": "ch_1", "payment_intent": "pi_1"}, {"id": "ch_1", "payment_intent": {"id": "pi_1"}}):
        post(encoded(event("charge.succeeded", subject)))
    assert {(e.object_id, e.payment_intent_id) for e in StripeEvent.objects.all()} == {("ch_1", "pi_1")}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        ",",
        "=",
        "t=",
        "t=1,v1",
        "t=x,v1=abc",
        "t=1,v1=é",
        "t=1,v1=\udce9",
        "t=1,v1=" + "ab" * 2500,
        "v1=" + "0" * 64,
        "t=" + "9" * 3000 + ",v1=" + "0" * 64,
    ],
)
def test_a_header_that_is_no_signature_is_refused(body, header):
    assert is_refused(post(body, header))


def test_a_missing_header_is_refused(body, client):
    assert is_refused(client.post(ADDRESS, body, content_type="application/json"))


def test_a_signature_of_non_ascii_bytes_is_refused(body, client):
    # What a server hands on when the bytes of a header are not ASCII.
    assert is_refused(client.generic("POST", ADDRESS, body, HTTP_STRIPE_SIGNATURE=f"t=1,v1={chr(0xE9) * 64}"))


def test_a_signature_of_scheme_v0_alone_is_refused(body):
    assert is_refused(post(body, signature(body).replace("v1=", "v0=")))


def test_a_signature_of_another_body_or_secret_is_refused(body):
    assert is_refused(post(body, signature(body + b" ")))
    assert is_refused(post(body, signature(body, secret=OLD_SECRET)))


@pytest.mark.parametrize("seconds", [-3600, -301, 301, 3600])
def test_a_signature_outside_five_minutes_is_refused(body, seconds):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock.at(now):
        assert is_refused(post(body, signature(body, at=now + timedelta(seconds=seconds))))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_signature_within_five_minutes_is_taken(body, seconds):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock.at(now):
        assert post(body, signature(body, at=now + timedelta(seconds=seconds))).status_code == 200


@pytest.mark.parametrize("order", [(OLD_SECRET, stripe_bodies.SECRET), (stripe_bodies.SECRET, OLD_SECRET)])
def test_during_a_rotation_a_delivery_signed_with_both_secrets_is_taken(body, settings, order):
    now = clock.now()
    parts = [signature(body, secret=secret, at=now).partition(",v1=")[2] for secret in order]
    header = f"t={int(now.timestamp())}," + ",".join(f"v1={part}" for part in parts)
    assert post(body, header).status_code == 200


@pytest.mark.parametrize("signed_with", [OLD_SECRET, stripe_bodies.SECRET])
@pytest.mark.parametrize("ours", [[OLD_SECRET, stripe_bodies.SECRET], [stripe_bodies.SECRET, " ", OLD_SECRET]])
def test_each_of_several_secrets_opens(body, settings, signed_with, ours):
    settings.STRIPE_WEBHOOK_SECRETS = ours
    assert post(body, signature(body, secret=signed_with)).status_code == 200


@pytest.mark.parametrize("secrets", [[], [""], [" "]])
def test_without_a_secret_nothing_is_taken_and_the_answer_says_why(body, settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    response = post(body)
    assert is_refused(response, 503)
    assert b"STRIPE_WEBHOOK_SECRETS" in response.content


def test_other_methods_are_refused(client):
    assert client.get(ADDRESS).status_code == 405


NO_EVENTS = {
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "a text": b'"evt_1"',
    "nothing": b"",
    "no JSON": b"{",
    "two values": b"{} {}",
    "bytes that are no UTF-8": b'{"id": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"id": "evt_1"}'.encode("utf-16"),
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 lists in an object": b'{"id":"evt_1","type":"x","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "65 levels": b'{"id":"evt_1","type":"x","a":' + b"[" * 64 + b"]" * 64 + b"}",
    "NaN": b'{"id":"evt_1","type":"x","a":NaN}',
    "Infinity": b'{"id":"evt_1","type":"x","a":-Infinity}',
    "an endless number": b'{"id":"evt_1","type":"x","a":' + b"9" * 5000 + b"}",
    "no id": b'{"type":"x"}',
    "id null": b'{"id":null,"type":"x"}',
    "id empty": b'{"id":"","type":"x"}',
    "id a number": b'{"id":1,"type":"x"}',
    "id an object": b'{"id":{"id":"evt_1"},"type":"x"}',
    "id too long": b'{"id":"' + b"e" * 300 + b'","type":"x"}',
    "id with a NUL": b'{"id":"evt\\u0000","type":"x"}',
    "id with a surrogate": b'{"id":"evt\\ud800","type":"x"}',
    "no type": b'{"id":"evt_1"}',
    "type a list": b'{"id":"evt_1","type":["x"]}',
    "type empty": b'{"id":"evt_1","type":""}',
    "type with a NUL": b'{"id":"evt_1","type":"x\\u0000"}',
    "type too long": b'{"id":"evt_1","type":"' + b"t" * 300 + b'"}',
}


@pytest.mark.parametrize("body", NO_EVENTS.values(), ids=NO_EVENTS.keys())
def test_a_signed_body_that_is_no_event_is_refused(body):
    header = signature(body) if body != NO_EVENTS["bytes that are no UTF-8"] and b"\xfe" not in body else "t=1,v1=0"
    assert is_refused(post(body, header))


ODD_EVENTS = {
    "64 levels": b'"a":' + b"[" * 63 + b"]" * 63,
    "no data": b'"data":null',
    "data a list": b'"data":[]',
    "object a number": b'"data":{"object":7}',
    "object without id": b'"data":{"object":{}}',
    "duplicate keys": b'"data":{"object":{"id":"pi_1","id":"pi_2"}}',
    "a number beyond all doubles": b'"data":{"object":{"amount":1e400}}',
    "a long number": b'"data":{"object":{"amount":' + b"9" * 4000 + b"}}",
    "created a text": b'"created":"yesterday"',
    "created far off": b'"created":99999999999999999999',
    "created negative": b'"created":-1',
    "created true": b'"created":true',
    "livemode a text": b'"livemode":"yes"',
    "api_version a list": b'"api_version":[1]',
    "api_version long": b'"api_version":"' + b"v" * 100 + b'"',
    "ids long": b'"data":{"object":{"id":"' + b"p" * 300 + b'"}}',
    "NUL": b'"data":{"object":{"description":"\\u0000"}}',
    "lone surrogate": b'"data":{"object":{"description":"\\ud800"}}',
    "NUL in a key": b'"data":{"object":{"\\u0000":1}}',
}


@pytest.mark.parametrize("kind", ["customer.updated", "payment_intent.succeeded", "checkout.session.completed"])
@pytest.mark.parametrize("rest", ODD_EVENTS.values(), ids=ODD_EVENTS.keys())
def test_a_signed_event_of_odd_shape_is_kept_and_comes_to_rest_without_effect(rest, kind):
    body = b'{"id":"evt_odd","type":"' + kind.encode() + b'",' + rest + b"}"
    assert post(body).status_code == 200
    kept = StripeEvent.objects.get()
    assert bytes(kept.body) == body
    process_event(event_id=kept.pk)
    kept.refresh_from_db()
    assert kept.state in (EventState.PARKED, EventState.IGNORED)
    assert kept.error


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "ok \\udc00 ok"])
def test_an_event_that_jsonb_refuses_is_kept_as_bytes_and_parked(text):
    told = encoded(intent_succeeded(payment_intent(metadata={"credits": "100", "user_id": "u_1"}, description="HERE")))
    body = told.replace(b"HERE", text.encode())
    assert post(body).status_code == 200
    kept = StripeEvent.objects.get()
    assert (bytes(kept.body), kept.payload) == (body, None)
    assert kept.payment_intent_id.startswith("pi_")
    assert post(body).status_code == 200
    process_event(event_id=kept.pk)
    kept.refresh_from_db()
    assert kept.state == EventState.PARKED
    assert "cannot be stored" in kept.error


def test_the_second_delivery_is_acknowledged_and_stores_nothing(body):
    assert post(body).status_code == 200
    again = body + b"\n"
    assert post(again).status_code == 200
    assert bytes(StripeEvent.objects.get().body) == body


class CountingInput(io.RawIOBase):
    """Endless bytes that remember how many were asked of them."""

    def __init__(self):
        self.given = 0

    def read(self, size=-1):
        size = 10_000_000 if size < 0 else size
        self.given += size
        return b"x" * size


def served(stream, declared):
    """The status that the application answers to a stream, past Django's test client, which never lies."""
    answers = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": ADDRESS,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": stream,
        "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": "application/json",
        "HTTP_STRIPE_SIGNATURE": "t=1,v1=0",
    } | ({} if declared is None else {"CONTENT_LENGTH": declared})
    # The handler would close the connection that the test's transaction is on.
    handler = WSGIHandler()
    response = handler(environ, lambda status, headers: answers.append(int(status[:3])))
    list(response)
    return answers[0]


@pytest.mark.parametrize("declared", [str(10 * 1024 * 1024), "9" * 30])
def test_a_body_declared_too_large_is_refused_unread(declared):
    stream = CountingInput()
    assert served(stream, declared) == 413
    assert stream.given == 0


@pytest.mark.parametrize(
    ("declared", "status"), [(None, 400), ("", 400), ("abc", 400), ("-5", 400), ("0", 400), ("20", 400)]
)
def test_a_lying_length_is_refused_and_no_more_than_the_limit_is_read(declared, status):
    stream = CountingInput()
    assert served(stream, declared) == status
    assert stream.given <= 1024 * 1024 + 1


@pytest.mark.parametrize("declared", ["+9000000", " 9000000 ", "9_000_000"])
def test_a_length_that_only_python_reads_as_a_number_opens_no_door(declared):
    stream = CountingInput()
    assert served(stream, declared) == 413
    assert stream.given <= 1024 * 1024 + 1


def test_a_body_shorter_than_declared_is_refused(body):
    assert served(io.BytesIO(body), str(len(body) + 1000)) == 400


def test_a_body_above_the_limit_is_refused(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert is_refused(post(b" " * (1024 * 1024 + 1)), 413)


def test_a_body_at_the_limit_is_read():
    told = event("customer.updated", {"id": "cus_1"})
    padding = 1024 * 1024 - len(encoded(told))
    assert post(encoded(told) + b" " * padding).status_code == 200


def test_no_token_of_ours_is_asked_for(body):
    from django.test import Client  # noqa: PLC0415

    strict = Client(enforce_csrf_checks=True)
    response = strict.post(
        ADDRESS, body, content_type="application/json", headers={"Stripe-Signature": signature(body)}
    )
    assert response.status_code == 200


def test_the_library_signs_as_we_expect():
    body = b'{"id": "evt_1"}'
    assert stripe.WebhookSignature.verify_header(body, signature(body), stripe_bodies.SECRET, 300)
