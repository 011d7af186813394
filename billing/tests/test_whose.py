"""Whose a payment is: metadata, then Stripe's customer, then an email, and never a guess."""

from datetime import UTC, datetime, timedelta

import pytest

from backoffice.lib import clock
from billing.models import EventState, Payment, StripeEvent
from billing.services.inbox import claim_due_events
from billing.services.processing import process_event
from billing.tests.bodies.subscriptions import START, subscription, told
from billing.tests.flow import bought, bought_with, deliver, deliver_without_session, is_parked, payment
from billing.tests.stripe_bodies import (
    charge,
    checkout_session,
    event,
    intent_succeeded,
    payment_intent,
    session_completed,
)
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("key", ["user_id", "userId"])
def test_the_metadata_names_the_customer_by_the_products_id(customer, key):
    deliver(intent_succeeded(payment_intent(metadata={key: "u_ada", "credits": "1"})))
    assert payment().user_id == customer.pk


def test_our_own_id_serves_for_a_customer_without_one_of_the_product():
    stranger = CustomerFactory(external_id=None)
    deliver(intent_succeeded(bought_with("user_id", str(stranger.pk))))
    assert payment().user_id == stranger.pk


def test_our_own_id_does_not_serve_for_a_customer_with_one_of_the_product(customer):
    (stored,) = deliver(intent_succeeded(bought_with("user_id", str(customer.pk))))
    assert is_parked(stored, str(customer.pk))


def test_the_products_id_comes_before_our_own():
    by_our_id = CustomerFactory(external_id=None)
    by_theirs = CustomerFactory(external_id=str(by_our_id.pk))
    deliver(intent_succeeded(bought_with("user_id", str(by_our_id.pk))))
    assert payment().user_id == by_theirs.pk


def test_metadata_that_matches_nobody_parks_though_all_else_matches(customer):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    intent = bought_with("user_id", "u_nobody") | {"customer": "cus_ada", "receipt_email": "ada@example.com"}
    (stored,) = deliver(intent_succeeded(intent))
    assert is_parked(stored, '"u_nobody"', "Replay")


@pytest.mark.parametrize("reference", ["", " u_ada", "U_ADA", ["u_ada"], "x" * 600, "9" * 40, "-1"])
def test_metadata_is_not_read_with_good_will(customer, reference):
    (stored,) = deliver(intent_succeeded(bought_with("user_id", reference)))
    assert is_parked(stored)
    assert len(stored.error) < 400


def test_metadata_that_names_two_customers_parks(customer):
    CustomerFactory(external_id="u_bob")
    (stored,) = deliver(intent_succeeded(bought_with("userId", "u_bob")))
    assert is_parked(stored, "u_ada and u_bob")


def test_metadata_comes_before_the_customer_of_stripe_and_takes_no_link_away(customer):
    bob = CustomerFactory(stripe_customer_id="cus_bob")
    deliver(intent_succeeded(bought() | {"customer": "cus_bob"}))
    assert payment().user_id == customer.pk
    customer.refresh_from_db()
    bob.refresh_from_db()
    assert (customer.stripe_customer_id, bob.stripe_customer_id) == (None, "cus_bob")


def test_metadata_does_not_change_a_link_that_is_there(customer):
    customer.stripe_customer_id = "cus_old"
    customer.save()
    deliver(intent_succeeded(bought() | {"customer": "cus_new"}))
    customer.refresh_from_db()
    assert customer.stripe_customer_id == "cus_old"


@pytest.mark.parametrize("told", ["cus_ada", {"id": "cus_ada", "object": "customer", "email": "ada@example.com"}])
def test_without_metadata_the_customer_of_stripe_counts(customer, told):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    CustomerFactory(email="bob@example.com")
    deliver_without_session(
        intent_succeeded(payment_intent(metadata={"credits": "1"}, customer=told, receipt_email="bob@example.com"))
    )
    assert payment().user_id == customer.pk


def test_a_customer_of_stripe_that_is_unknown_parks_though_the_email_matches(customer):
    intent = payment_intent(metadata={"credits": "1"}, customer="cus_new", receipt_email="ada@example.com")
    (stored,) = deliver_without_session(intent_succeeded(intent))
    assert is_parked(stored, "cus_new", "replay")


@pytest.mark.parametrize(
    "told",
    [
        payment_intent(metadata={"credits": "1"}, receipt_email=" ADA@example.com"),
        payment_intent(metadata={"credits": "1"}, latest_charge=charge(billing_details={"email": "ada@example.com"})),
    ],
)
def test_with_neither_an_email_counts_and_is_not_remembered(customer, told):
    deliver_without_session(intent_succeeded(told))
    assert payment().user_id == customer.pk
    customer.refresh_from_db()
    assert customer.stripe_customer_id is None


def test_a_customer_of_stripe_that_is_told_later_is_not_remembered_by_an_email(customer):
    intent = payment_intent(id="pi_1", metadata={"credits": "1"}, receipt_email="ada@example.com")
    stored = deliver_without_session(intent_succeeded(intent))
    stored += deliver(session_completed(checkout_session("pi_1", customer="cus_new")))
    assert {one.state for one in stored} == {EventState.PROCESSED}
    customer.refresh_from_db()
    assert customer.stripe_customer_id is None


def test_the_email_of_a_session_counts_too(customer):
    deliver(session_completed(checkout_session("pi_1", metadata={"credits": "1"}, email="ada@example.com")))
    assert payment().user_id == customer.pk


@pytest.mark.parametrize("order", [1, -1], ids=["intent first", "session first"])
@pytest.mark.parametrize("told", [{"customer": "cus_ada"}, {"receipt_email": "ada@example.com"}])
def test_the_metadata_of_a_session_counts_before_all_that_its_intent_says(customer, order, told):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    bob = CustomerFactory(external_id="u_bob")
    intent = payment_intent(id="pi_1", metadata={"credits": "100"}, **told)
    session = checkout_session("pi_1", metadata={"user_id": "u_bob"})
    deliver(*[intent_succeeded(intent), session_completed(session)][::order])
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert payment().user_id == bob.pk


def test_an_intent_that_names_nobody_waits_for_its_session_and_is_booked_without_one_in_the_end(customer):
    intent = payment_intent(metadata={"credits": "100"}, receipt_email="ada@example.com")
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(intent))
    assert (stored.state, stored.next_attempt_at) == (EventState.RECEIVED, NOON + timedelta(minutes=15))
    assert "names no user" in stored.error
    with clock.at(NOON + timedelta(minutes=14, seconds=59)):
        assert claim_due_events(limit=10) == []
        process_event(event_id=stored.pk)
        assert not Payment.objects.exists()
    with clock.at(NOON + timedelta(minutes=15)):
        assert claim_due_events(limit=10) == [stored.pk]
        process_event(event_id=stored.pk)
    assert payment().user_id == customer.pk


@pytest.mark.parametrize("email", ["ad@example.com", "ada@example.com.evil.example", "ada%", "", "a" * 300, None])
def test_an_email_that_is_not_exactly_a_customers_parks(customer, email):
    (stored,) = deliver_without_session(
        intent_succeeded(payment_intent(metadata={"credits": "1"}, receipt_email=email))
    )
    assert is_parked(stored, "email", "by hand")


def test_two_emails_of_two_customers_park(customer):
    CustomerFactory(email="bob@example.com")
    told = charge(billing_details={"email": "bob@example.com"})
    intent = payment_intent(metadata={"credits": "1"}, receipt_email="ada@example.com", latest_charge=told)
    (stored,) = deliver_without_session(intent_succeeded(intent))
    assert is_parked(stored)


@pytest.mark.parametrize("by", ["metadata", "stripe", "email"])
def test_staff_are_no_customers(by):
    StaffFactory(external_id="u_boss", stripe_customer_id="cus_boss", email="boss@example.com")
    told = {
        "metadata": payment_intent(metadata={"user_id": "u_boss", "credits": "1"}),
        "stripe": payment_intent(metadata={"credits": "1"}, customer="cus_boss"),
        "email": payment_intent(metadata={"credits": "1"}, receipt_email="boss@example.com"),
    }[by]
    (stored,) = deliver_without_session(intent_succeeded(told))
    assert is_parked(stored)


def work_on(at):
    """What is due is worked on at this moment."""
    with clock.at(at):
        for event_id in claim_due_events(limit=10):
            process_event(event_id=event_id)


@pytest.mark.parametrize("by", ["payment", "known payment", "subscription"])
def test_what_says_whose_a_customer_of_stripes_is_wakes_what_waited_to_know(customer, by):
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(payment_intent(customer="cus_9", metadata={"credits": "100"})))
    work_on(NOON + timedelta(minutes=15))
    stored.refresh_from_db()
    assert is_parked(stored, "cus_9")
    with clock.at(NOON + timedelta(hours=1)):
        if by == "subscription":
            deliver(told("created", subscription(customer="cus_9"), at=START))
        elif by == "payment":
            deliver(intent_succeeded(bought(customer="cus_9")))
        else:
            deliver(intent_succeeded(bought(id="pi_1")))
            deliver(event("charge.succeeded", charge(payment_intent="pi_1", customer="cus_9")))
    work_on(NOON + timedelta(hours=1))
    stored.refresh_from_db()
    assert stored.state == EventState.PROCESSED, stored.error
    assert set(Payment.objects.values_list("user", flat=True)) == {customer.pk}


def test_without_metadata_of_its_own_that_of_stripes_customer_counts_though_the_user_was_told_of_late():
    named = {"id": "cus_9", "object": "customer", "livemode": False, "metadata": {"user_id": "u_late"}}
    with clock.at(NOON):
        deliver(event("customer.created", named))
    work_on(NOON + timedelta(minutes=15))
    late = CustomerFactory(external_id="u_late")
    deliver_without_session(intent_succeeded(payment_intent(customer="cus_9", metadata={"credits": "100"})))
    assert payment().user_id == late.pk


def test_the_metadata_of_stripes_customer_may_name_a_user_whom_the_product_tells_of_a_minute_later():
    named = {"id": "cus_9", "object": "customer", "livemode": False, "metadata": {"user_id": "u_late"}}
    session = checkout_session("pi_1", customer="cus_9", metadata={"credits": "100"})
    with clock.at(NOON):
        _, stored = deliver(event("customer.created", named), session_completed(session))
    assert (stored.state, stored.next_attempt_at) == (EventState.RECEIVED, NOON + timedelta(minutes=15))
    late = CustomerFactory(external_id="u_late")
    work_on(NOON + timedelta(minutes=15))
    assert payment().user_id == late.pk
