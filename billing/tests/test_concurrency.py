"""Races and outages, on real threads, connections and a database that is really gone."""

import io
import threading
import time
from decimal import Decimal

import psycopg
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from accounts.models import ActivityEvent, CustomerFigures
from backoffice.lib import clock
from billing import tasks
from billing.models import EventState, Payment, StripeEvent
from billing.services import processing
from billing.services.payments import PaymentDetails, Purchase, book_payment
from billing.services.processing import process_event
from billing.tests.flow import ADDRESS, bought, payment, post
from billing.tests.stripe_bodies import (
    checkout_session,
    encoded,
    intent_succeeded,
    payment_intent,
    session_completed,
    signature,
)
from credits.models import CreditTransaction
from credits.selectors import balance_of, verify
from tests import databases
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 20


def is_booked_once(customer):
    assert payment().user_id == customer.pk
    assert CreditTransaction.objects.count() == ActivityEvent.objects.count() == 1
    assert balance_of(customer.pk).balance == 100
    assert CustomerFigures.objects.get(user=customer).spend_minor == 1000
    assert list(verify()) == []
    return True


def test_one_event_delivered_twenty_times_at_once_is_kept_once_and_always_acknowledged(customer):
    body = encoded(intent_succeeded(bought()))

    def deliver_and_work():
        status = post(body).status_code
        tasks.process_stripe_event(StripeEvent.objects.get().pk)
        return status

    assert at_once([deliver_and_work] * MANY) == [200] * MANY
    stored = StripeEvent.objects.get()
    assert (stored.state, stored.attempts) == (EventState.PROCESSED, 1)
    assert is_booked_once(customer)


def test_twenty_events_of_one_payment_at_once_are_one_credit(customer):
    intent = bought()
    bodies = [encoded(intent_succeeded(intent)) for _ in range(MANY)]
    assert {response.status_code for response in at_once([lambda b=body: post(b) for body in bodies])} == {200}
    ids = list(StripeEvent.objects.values_list("pk", flat=True))
    assert at_once([lambda i=event_id: process_event(event_id=i) for event_id in ids]) == [None] * MANY
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert is_booked_once(customer)


def test_a_payment_booked_twenty_times_at_once_is_booked_once(customer):
    purchase = Purchase(
        user_id=customer.pk,
        stripe_payment_id="pi_1",
        amount_minor=1000,
        currency="USD",
        credits=Decimal(100),
        details=PaymentDetails(paid_at=clock.now()),
    )
    booked = at_once([lambda: book_payment(purchase=purchase)] * MANY)
    assert {one.pk for one in booked} == {payment().pk}
    assert is_booked_once(customer)


def test_intents_and_sessions_that_each_know_half_meet_in_any_race(customer):
    told = []
    for number in range(8):
        told.append(intent_succeeded(payment_intent(id=f"pi_{number}", metadata={"user_id": "u_ada"})))
        told.append(session_completed(checkout_session(f"pi_{number}", metadata={"credits": "100"})))

    def deliver_and_work(event):
        post(encoded(event))
        tasks.process_stripe_event(StripeEvent.objects.get(stripe_id=event["id"]).pk)

    assert at_once([lambda e=event: deliver_and_work(e) for event in told]) == [None] * 16
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert Payment.objects.count() == CreditTransaction.objects.count() == 8
    assert balance_of(customer.pk).balance == 800
    assert CustomerFigures.objects.get(user=customer).spend_minor == 8000


def test_an_event_waits_for_the_one_of_its_payment_that_is_being_processed(customer, monkeypatch):
    intent, session = (
        intent_succeeded(payment_intent(id="pi_1", metadata={"user_id": "u_ada"})),
        session_completed(checkout_session("pi_1", metadata={"credits": "100"})),
    )
    settle, undecided = processing._settle, threading.Event()

    def settle_once_the_session_is_here(event, outcome):
        if event.stripe_id == intent["id"] and not undecided.is_set():
            undecided.set()
            wait_until(lambda: others_wait_for_a_lock() or event_of(session).state == EventState.PROCESSED)
        settle(event, outcome)

    def deliver_the_session():
        assert undecided.wait(30)
        post(encoded(session))
        process_event(event_id=event_of(session).pk)

    monkeypatch.setattr(processing, "_settle", settle_once_the_session_is_here)
    post(encoded(intent))
    first = event_of(intent).pk
    assert at_once([lambda: process_event(event_id=first), deliver_the_session]) == [None, None]
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert is_booked_once(customer)


def event_of(told):
    return StripeEvent.objects.filter(stripe_id=told["id"]).first() or StripeEvent()


def others_wait_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        return cursor.fetchone()[0]


def wait_until(is_so):
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def served(body):
    """The status that the application answers, closing connections as a server's requests do."""
    statuses = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": ADDRESS,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_STRIPE_SIGNATURE": signature(body),
    }
    response = WSGIHandler()(environ, lambda status, headers: statuses.append(int(status[:3])))
    b"".join(response)
    response.close()
    return statuses[0]


def is_applied_once_by_the_retry(customer, body):
    assert served(body) == 200
    tasks.process_stripe_event(StripeEvent.objects.get().pk)
    assert served(body) == 200
    tasks.process_stripe_event(StripeEvent.objects.get().pk)
    return is_booked_once(customer)


def test_while_the_database_refuses_connections_stripe_is_told_to_try_again(customer, monkeypatch, tmp_path):
    body = encoded(intent_succeeded(bought()))
    connection.close()
    with monkeypatch.context() as outage:
        outage.setitem(connection.settings_dict, "HOST", str(tmp_path))
        outage.setitem(
            connection.settings_dict, "OPTIONS", connection.settings_dict["OPTIONS"] | {"host": str(tmp_path)}
        )
        assert served(body) == 503
        assert served(body) == 503
    assert not StripeEvent.objects.exists()
    assert is_applied_once_by_the_retry(customer, body)


def test_a_connection_cut_in_mid_request_is_told_to_stripe_and_the_retry_applies_once(customer, monkeypatch):
    body = encoded(intent_succeeded(bought()))
    save = StripeEvent.save

    def cut_and_save(self, **kwargs):
        connection.ensure_connection()
        with psycopg.connect(databases.on_database(databases.app_url(), connection.settings_dict["NAME"])) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        save(self, **kwargs)

    with monkeypatch.context() as outage:
        outage.setattr(StripeEvent, "save", cut_and_save)
        assert served(body) == 503
    assert not StripeEvent.objects.exists()
    assert is_applied_once_by_the_retry(customer, body)
