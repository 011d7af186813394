"""What becomes of an event when a handler fails, a worker dies, or nobody told the worker."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import get_args

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from stripe.params import WebhookEndpointCreateParams

from accounts.models import ActivityEvent
from backoffice.lib import clock
from billing import handlers, tasks
from billing.models import EventState, Payment, StripeEvent
from billing.services import inbox, payments, processing
from billing.services.processing import process_event
from billing.tests.flow import bought, deliver, payment, post
from billing.tests.stripe_bodies import (
    checkout_session,
    encoded,
    intent_succeeded,
    line_items,
    payment_intent,
    session_completed,
)
from credits.models import CreditTransaction
from credits.selectors import balance_of
from tests import databases

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def received(told):
    """The row of an event that no worker has seen."""
    assert post(encoded(told)).status_code == 200
    return StripeEvent.objects.get(stripe_id=told["id"])


@pytest.fixture
def broken(monkeypatch):
    """Booking fails after the ledger was written, until told otherwise."""
    switch = {"on": True}
    follow_up = payments._follow_up

    def fail(*args):
        follow_up(*args)
        if switch["on"]:
            raise RuntimeError("no luck\x00 today")

    monkeypatch.setattr(payments, "_follow_up", fail)
    return switch


def test_a_failing_handler_leaves_no_trace_but_the_row_that_says_so(customer, broken):
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(bought()))
    assert (stored.state, stored.attempts, stored.processed_at) == (EventState.FAILED, 1, None)
    assert "RuntimeError: no luck today" in stored.error
    assert "by itself" in stored.error
    assert stored.next_attempt_at == NOON + timedelta(seconds=30)
    assert not CreditTransaction.objects.exists()
    assert not Payment.objects.exists()
    assert not ActivityEvent.objects.exists()


def test_failures_back_off_up_to_six_hours_and_then_wait_for_a_person(customer, broken):
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(bought()))
        delays = [(stored.next_attempt_at - NOON).total_seconds()]
        while stored.next_attempt_at:
            process_event(event_id=stored.pk)
            stored.refresh_from_db()
            if stored.next_attempt_at:
                delays.append((stored.next_attempt_at - NOON).total_seconds())
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600]
    assert (stored.state, stored.attempts) == (EventState.FAILED, 13)
    assert "replay" in stored.error


def test_waiting_and_being_woken_uses_up_none_of_the_tries_after_a_failure(customer, broken):
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(payment_intent(id="pi_1", metadata={"user_id": "u_ada"})))
        for _ in range(20):
            process_event(event_id=stored.pk)
        deliver(session_completed(checkout_session("pi_1", payment_status="unpaid", metadata={"credits": "100"})))
        stored.refresh_from_db()
    assert (stored.state, stored.failures) == (EventState.FAILED, 1)
    assert stored.attempts > 20
    assert stored.next_attempt_at == NOON + timedelta(seconds=30)


def test_a_failure_that_passes_is_made_good(customer, broken):
    (stored,) = deliver(intent_succeeded(bought()))
    broken["on"] = False
    process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert (stored.state, stored.error, stored.attempts) == (EventState.PROCESSED, "", 2)
    assert balance_of(customer.pk).balance == 100


def test_a_database_error_in_a_handler_is_kept_too(customer, monkeypatch):
    def divide(event, line_items):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(processing, "HANDLERS", {"payment_intent.succeeded": divide})
    (stored,) = deliver(intent_succeeded(bought()))
    assert stored.state == EventState.FAILED
    assert "division by zero" in stored.error


def test_the_sweep_finds_what_no_worker_was_told_and_hands_it_out_once(customer):
    with clock.at(NOON):
        stored = received(intent_succeeded(bought()))
    with clock.at(NOON + timedelta(seconds=9)):
        assert inbox.claim_due_events(limit=10) == []
    with clock.at(NOON + timedelta(seconds=10)):
        assert inbox.claim_due_events(limit=10) == [stored.pk]
        assert inbox.claim_due_events(limit=10) == []
    with clock.at(NOON + timedelta(seconds=131)):
        assert inbox.claim_due_events(limit=10) == [stored.pk]


def test_the_sweep_goes_by_what_is_due_not_by_id(customer, broken):
    with clock.at(NOON):
        (failed,) = deliver(intent_succeeded(bought()))
        (waiting,) = deliver(intent_succeeded(payment_intent()))
        (parked,) = deliver(session_completed(checkout_session("pi_1")))
    assert (waiting.state, parked.state) == (EventState.RECEIVED, EventState.PARKED)
    with clock.at(NOON + timedelta(minutes=1)):
        fresh = received(intent_succeeded(bought()))
        assert inbox.claim_due_events(limit=10) == [failed.pk]
    with clock.at(NOON + timedelta(minutes=15)):
        assert inbox.claim_due_events(limit=1) == [fresh.pk]
        assert inbox.claim_due_events(limit=10) == [failed.pk, waiting.pk]


def test_a_wait_that_the_sweep_handed_out_ends(customer):
    with clock.at(NOON):
        (waiting,) = deliver(intent_succeeded(payment_intent()))
    with clock.at(NOON + timedelta(minutes=15, seconds=20)):
        for event_id in inbox.claim_due_events(limit=10):
            tasks.process_stripe_event(event_id)
    waiting.refresh_from_db()
    assert waiting.state == EventState.PARKED


def test_a_task_delivered_twice_is_done_once(customer):
    stored = received(intent_succeeded(bought()))
    tasks.process_stripe_event(stored.pk)
    tasks.process_stripe_event(stored.pk)
    assert StripeEvent.objects.get().attempts == 1
    assert balance_of(customer.pk).balance == 100


def test_the_schedule_names_tasks_that_exist():
    from backoffice.celery import app  # noqa: PLC0415

    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert "billing.tasks.sweep_stripe_events" in scheduled
    assert scheduled <= set(app.tasks)


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_delivery_is_kept_and_the_sweep_does_the_work_later(customer, caplog):
    with clock.at(NOON):
        assert post(encoded(intent_succeeded(bought()))).status_code == 200
    assert "nudge_lost" in caplog.text
    with clock.at(NOON + timedelta(minutes=1)):
        tasks.sweep_stripe_events()
        assert StripeEvent.objects.get().state == EventState.RECEIVED
    with clock.at(NOON + timedelta(minutes=5)):
        for event_id in inbox.claim_due_events(limit=10):
            tasks.process_stripe_event(event_id)
    assert payment().user_id == customer.pk


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_mid_task_leaves_nothing_and_the_next_one_applies_it_once(customer, monkeypatch):
    stored = received(intent_succeeded(bought()))
    follow_up = payments._follow_up

    def killed(*args):
        follow_up(*args)
        # The end of a worker as the database sees it: its backend is gone.
        with psycopg.connect(_own_login()) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        connection.cursor().execute("SELECT 1")

    monkeypatch.setattr(payments, "_follow_up", killed)
    with pytest.raises(OperationalError):
        tasks.process_stripe_event(stored.pk)
    connection.close()
    stored.refresh_from_db()
    assert (stored.state, stored.attempts) == (EventState.RECEIVED, 0)
    assert not CreditTransaction.objects.exists()
    monkeypatch.setattr(payments, "_follow_up", follow_up)
    tasks.process_stripe_event(stored.pk)
    assert balance_of(customer.pk).balance == 100
    assert CreditTransaction.objects.count() == 1


def _own_login():
    return databases.on_database(databases.app_url(), connection.settings_dict["NAME"])


class StripeStub(BaseHTTPRequestHandler):
    """Answers what the server was given, and looks whether anyone holds a transaction open meanwhile."""

    def do_GET(self):  # (the library's name)
        server = self.server
        with psycopg.connect(server.login, autocommit=True) as looking:
            server.transactions += looking.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            ).fetchone()
        server.asked.append((self.path, self.headers["Authorization"]))
        body = json.dumps(server.answers.pop(0)).encode()
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def stripe_answers(settings):
    """Stripe's API: append to ``answers`` what it is to say."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), StripeStub)
    server.asked, server.answers, server.transactions, server.status, server.login = [], [], [], 200, _own_login()
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db(transaction=True)
def test_line_items_that_the_event_leaves_out_are_asked_of_stripe_outside_any_transaction(
    customer, pack, stripe_answers
):
    first = line_items(("price_small", 1), has_more=True)
    stripe_answers.answers = [first, line_items(("price_small", 2))]
    session = checkout_session("pi_1", id="cs_test_1", metadata={"user_id": "u_ada"})
    (stored,) = deliver(session_completed(session))
    assert (stored.state, stored.attempts) == (EventState.PROCESSED, 1)
    assert payment().credits_purchased == 300
    paths = [path for path, _ in stripe_answers.asked]
    assert paths[0].startswith("/v1/checkout/sessions/cs_test_1/line_items?")
    assert f"starting_after={first['data'][0]['id']}" in paths[1]
    assert {key for _, key in stripe_answers.asked} == {"Bearer sk_test_1"}
    assert stripe_answers.transactions == [0, 0]


def test_the_waiting_intent_asks_for_the_line_items_of_its_session_too(customer, pack, stripe_answers):
    deliver(session_completed(checkout_session("pi_1", payment_status="unpaid")))
    stripe_answers.answers = [line_items(("price_small", 1))]
    (stored,) = deliver(intent_succeeded(payment_intent(id="pi_1", metadata={"user_id": "u_ada"})))
    assert stored.state == EventState.PROCESSED
    assert payment().credits_purchased == 100


@pytest.mark.parametrize(
    ("status", "answer"), [(400, {"error": {"message": "No such session"}}), (400, []), (200, "what"), (200, [])]
)
def test_an_answer_of_stripes_that_is_no_list_is_tried_again_later(customer, pack, stripe_answers, status, answer):
    stripe_answers.status, stripe_answers.answers = status, [answer]
    session = checkout_session("pi_1", metadata={"user_id": "u_ada"})
    (stored,) = deliver(session_completed(session))
    assert stored.state == EventState.FAILED
    assert stored.next_attempt_at
    stripe_answers.status, stripe_answers.answers = 200, [line_items(("price_small", 1))]
    process_event(event_id=stored.pk)
    assert payment().credits_purchased == 100


def test_a_stripe_that_cannot_be_reached_is_tried_again_later(customer, pack, settings):
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "sk_test_1", "http://127.0.0.1:1"
    (stored,) = deliver(session_completed(checkout_session("pi_1", metadata={"user_id": "u_ada"})))
    assert stored.state == EventState.FAILED
    assert "Stripe could not be asked for the line items" in stored.error


def test_every_handled_type_is_one_of_stripes():
    (types,) = get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    assert set(handlers.HANDLERS) <= set(get_args(types))
