"""From a paid intent or session to a payment with its credits, in any order and only once."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from accounts.models import ActivityEvent, CustomerFigures
from backoffice.lib import clock
from billing.models import EventState, Payment, StripeEvent
from billing.services.processing import process_event
from billing.tests.flow import bought, bought_with, deliver, deliver_without_session, is_parked, payment, post
from billing.tests.stripe_bodies import (
    CREATED,
    charge,
    checkout_session,
    encoded,
    event,
    intent_succeeded,
    line_items,
    new_id,
    payment_intent,
    session_completed,
)
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.selectors import balance_of, verify
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stories():
    """Pairs of intent and session that each know a part of the same purchase."""
    whose, what = {"user_id": "u_ada"}, {"credits": "100"}
    items = {"line_items": line_items(("price_small", 1))}
    return {
        "both know all": (whose | what, whose | what, {}),
        "intent knows all": (whose | what, {}, {}),
        "session knows all": ({}, whose | what, {}),
        "intent whose, session what": (whose, what, {}),
        "intent what, session whose": (what, whose, {}),
        "intent whose, line items what": (whose, {}, items),
        "session whose, line items what": ({}, whose, items),
    }


def test_a_payment_is_booked_with_its_credits_and_what_follows_from_them(customer):
    intent = bought() | {"customer": "cus_ada", "latest_charge": charge(id="ch_1")}
    (stored,) = deliver(intent_succeeded(intent))
    assert (stored.state, stored.error, stored.attempts) == (EventState.PROCESSED, "", 1)
    assert stored.processed_at and stored.next_attempt_at is None
    paid = payment()
    assert (paid.user_id, paid.stripe_payment_id, paid.stripe_charge_id) == (customer.pk, intent["id"], "ch_1")
    assert (paid.amount_minor, paid.currency, paid.status) == (1000, "USD", "succeeded")
    assert (paid.credits_purchased, paid.method) == (100, "Visa •••• 4242")
    assert paid.paid_at == datetime.fromtimestamp(CREATED, UTC)
    entry = paid.transaction
    assert (entry.account_id, entry.kind, entry.amount) == (customer.pk, TransactionKind.PURCHASE, 100)
    assert (entry.reference, entry.event_at) == (intent["id"], paid.paid_at)
    assert [(lot.paid_minor, lot.currency) for lot in entry.lots.all()] == [(1000, "USD")]
    assert balance_of(customer.pk).balance == 100
    customer.refresh_from_db()
    assert customer.stripe_customer_id == "cus_ada"
    assert CustomerFigures.objects.get(user=customer).spend_minor == 1000
    purchase = ActivityEvent.objects.get()
    assert (purchase.action, purchase.user_id, purchase.at) == ("purchase", customer.pk, paid.paid_at)
    assert purchase.details == {
        "payment": intent["id"],
        "amount_minor": 1000,
        "currency": "USD",
        "credits": "100",
    }
    assert list(verify()) == []


def test_a_session_alone_books_its_payment(customer):
    session = checkout_session("pi_1", metadata={"userId": "u_ada", "credits": "100"}, customer="cus_ada")
    (stored,) = deliver(session_completed(session))
    assert stored.state == EventState.PROCESSED
    paid = payment()
    assert (paid.stripe_payment_id, paid.amount_minor, paid.credits_purchased) == ("pi_1", 1000, 100)
    assert (paid.stripe_charge_id, paid.method) == ("", "")
    customer.refresh_from_db()
    assert customer.stripe_customer_id == "cus_ada"


@pytest.mark.parametrize(("of_intent", "of_session", "more"), stories().values(), ids=stories().keys())
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_intent_and_session_in_any_order_and_twice_are_one_payment(customer, pack, of_intent, of_session, more, order):
    intent = payment_intent(id="pi_1", metadata=of_intent, latest_charge=charge(id="ch_1"))
    session = checkout_session("pi_1", metadata=of_session, customer="cus_ada", **more)
    events = [intent_succeeded(intent), session_completed(session), intent_succeeded(intent)]
    deliver(*(events[place] for place in order))
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    paid = payment()
    assert (paid.user_id, paid.credits_purchased, paid.amount_minor) == (customer.pk, 100, 1000)
    assert (paid.stripe_charge_id, paid.method) == ("ch_1", "Visa •••• 4242")
    assert paid.paid_at == datetime.fromtimestamp(CREATED, UTC)
    customer.refresh_from_db()
    assert customer.stripe_customer_id == "cus_ada"
    assert CreditTransaction.objects.count() == ActivityEvent.objects.count() == 1
    assert CustomerFigures.objects.get(user=customer).spend_minor == 1000


def test_an_intent_that_does_not_say_its_credits_waits_a_quarter_of_an_hour_and_then_parks(customer):
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada"})))
    assert (stored.state, stored.next_attempt_at) == (EventState.RECEIVED, NOON + timedelta(minutes=15))
    assert "session" in stored.error
    with clock.at(NOON + timedelta(minutes=14, seconds=59)):
        process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert stored.state == EventState.RECEIVED
    with clock.at(NOON + timedelta(minutes=15)):
        process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert is_parked(stored, "by hand")


def test_a_later_event_of_the_same_payment_retries_a_parked_one(customer):
    with clock.at(NOON):
        (stored,) = deliver(intent_succeeded(payment_intent(id="pi_1", metadata={"user_id": "u_ada"})))
    with clock.at(NOON + timedelta(hours=1)):
        process_event(event_id=stored.pk)
        stored.refresh_from_db()
        assert is_parked(stored)
        (session,) = deliver(session_completed(checkout_session("pi_1", metadata={"credits": "100"})))
    stored.refresh_from_db()
    assert (stored.state, session.state) == (EventState.PROCESSED, EventState.PROCESSED)
    assert payment().credits_purchased == 100


def test_a_later_event_of_any_type_retries_a_parked_one():
    (stored,) = deliver(intent_succeeded(bought() | {"id": "pi_1"}))
    assert is_parked(stored, "u_ada")
    CustomerFactory(external_id="u_ada")
    (other,) = deliver(event("review.opened", {"id": "prv_1", "object": "review", "payment_intent": "pi_1"}))
    stored.refresh_from_db()
    assert (stored.state, other.state) == (EventState.PROCESSED, EventState.IGNORED)
    assert payment().user.external_id == "u_ada"


def test_an_event_of_another_payment_retries_nothing():
    (stored,) = deliver(intent_succeeded(bought() | {"id": "pi_1"}))
    CustomerFactory(external_id="u_ada")
    deliver(event("charge.succeeded", charge(payment_intent="pi_2")), event("customer.updated", {"id": "cus_1"}))
    stored.refresh_from_db()
    assert (stored.state, stored.attempts) == (EventState.PARKED, 1)


def test_parked_events_of_one_payment_do_not_retry_each_other_for_ever():
    events = [intent_succeeded(bought() | {"id": "pi_1"}) for _ in range(4)]
    deliver(*events)
    attempts = StripeEvent.objects.order_by("pk").values_list("attempts", flat=True)
    assert list(attempts) == [4, 3, 2, 1]


def test_a_demo_customer_gets_no_credits_and_a_person_hears_of_it(customer):
    customer.demo_mode = True
    customer.save()
    (stored,) = deliver(intent_succeeded(bought()))
    assert is_parked(stored, "demo")


def test_different_events_of_one_payment_are_one_credit(customer):
    intent = bought()
    stored = deliver(*(intent_succeeded(intent) for _ in range(5)))
    assert {one.state for one in stored} == {EventState.PROCESSED}
    assert balance_of(customer.pk).balance == 100
    assert ActivityEvent.objects.count() == 1


def test_a_customers_payments_add_up_in_the_reporting_currency(customer):
    told = [(1000, "usd"), (250, "usd"), (9999, "eur")]
    deliver(*(intent_succeeded(bought() | {"amount_received": n, "currency": c}) for n, c in told))
    assert CustomerFigures.objects.get(user=customer).spend_minor == 1250
    assert balance_of(customer.pk).balance == 300


def test_a_session_of_another_amount_than_its_intent_parks_and_changes_nothing(customer):
    stored = deliver(
        intent_succeeded(bought() | {"id": "pi_1"}),
        session_completed(checkout_session("pi_1", amount_total=5000)),
    )
    assert [one.state for one in stored] == [EventState.PROCESSED, EventState.PARKED]
    assert "1000 USD and 5000 USD" in stored[1].error
    assert payment().amount_minor == 1000


def test_a_session_of_other_credits_than_booked_parks_and_changes_nothing(customer):
    stored = deliver(
        intent_succeeded(bought() | {"id": "pi_1"}),
        session_completed(checkout_session("pi_1", metadata={"credits": "900"})),
    )
    assert [one.state for one in stored] == [EventState.PROCESSED, EventState.PARKED]
    assert "100 and 900" in stored[1].error
    assert balance_of(customer.pk).balance == 100


def test_an_event_that_denies_how_the_payment_was_booked_parks(customer):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    CustomerFactory(external_id="u_bob")
    intent = payment_intent(id="pi_1", metadata={"credits": "100"}, customer="cus_ada")
    stored = deliver_without_session(intent_succeeded(intent))
    stored += deliver(session_completed(checkout_session("pi_1", metadata={"user_id": "u_bob"})))
    assert [one.state for one in stored] == [EventState.PROCESSED, EventState.PARKED]
    assert f"booked for customer {customer.pk}" in stored[1].error
    assert payment().user_id == customer.pk


def test_a_session_paid_later_is_booked_when_it_is_paid(customer):
    session = checkout_session("pi_1", metadata={"user_id": "u_ada", "credits": "100"}, payment_status="unpaid")
    later = event("checkout.session.async_payment_succeeded", session | {"payment_status": "paid"})
    stored = deliver(session_completed(session), later)
    assert [one.state for one in stored] == [EventState.IGNORED, EventState.PROCESSED]
    assert payment().credits_purchased == 100


@pytest.mark.parametrize("version", ["2019-12-03", "2022-08-01", "2022-11-15", "2025-03-31.basil"])
def test_intents_of_several_api_versions_mean_the_same(customer, version):
    intent = bought() | {"id": "pi_1"}
    if version < "2022-11-15":
        del intent["latest_charge"]
        intent["charges"] = {"object": "list", "data": [charge(id="ch_1")], "has_more": False}
    else:
        intent["latest_charge"] = "ch_1"
        intent["payment_method"] = {"id": "pm_1", "type": "card", "card": {"brand": "visa", "last4": "4242"}}
    deliver(intent_succeeded(intent, api_version=version))
    paid = payment()
    assert (paid.stripe_charge_id, paid.method) == ("ch_1", "Visa •••• 4242")


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        ({"payment_method_types": ["sepa_debit"]}, "Sepa debit"),
        ({"payment_method_types": ["card", "link"]}, ""),
        ({"payment_method_types": None}, ""),
        ({"payment_method": {"type": "x" * 200}}, "Card"),
    ],
)
def test_a_method_is_told_as_far_as_it_is_known(customer, fields, method):
    deliver(intent_succeeded(bought() | fields))
    assert payment().method == method


@pytest.mark.parametrize("livemode", [True, False])
def test_an_event_of_the_other_mode_is_kept_and_not_applied(customer, settings, livemode):
    settings.STRIPE_LIVEMODE = not livemode
    (stored,) = deliver(intent_succeeded(bought(), livemode=livemode))
    assert stored.state == EventState.IGNORED
    assert "mode" in stored.error
    assert stored.livemode is livemode
    assert not Payment.objects.exists()


def test_what_the_other_mode_tells_of_a_payment_does_not_count(customer):
    session = checkout_session("pi_1", metadata={"credits": "9000"})
    deliver(session_completed(session, livemode=True), intent_succeeded(bought() | {"id": "pi_1"}))
    assert payment().credits_purchased == 100


def test_an_unknown_type_is_kept_and_ignored(customer):
    (stored,) = deliver(event("charge.dispute.funds_reinstated_someday", charge()))
    assert stored.state == EventState.IGNORED
    assert stored.payload["type"] == stored.type


def test_hostile_text_comes_to_rest_as_text(customer):
    (stored,) = deliver(
        intent_succeeded(bought_with("user_id", "<script>alert(1)</script>'; DROP TABLE billing_payment;--"))
    )
    assert is_parked(stored, "<script>")


def test_an_event_processed_again_has_no_second_effect(customer):
    (stored,) = deliver(intent_succeeded(bought()))
    process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert stored.attempts == 1
    assert balance_of(customer.pk).balance == 100


def test_an_event_that_is_gone_does_no_harm():
    process_event(event_id=10**9)
    assert not StripeEvent.objects.exists() and not Payment.objects.exists()


def test_an_id_too_long_for_the_ledger_is_not_taken(customer):
    assert post(encoded(intent_succeeded(bought() | {"id": "pi_" + "1" * 300}))).status_code == 200
    stored = StripeEvent.objects.get()
    process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert is_parked(stored, "no payment")
    assert new_id("pi") != new_id("pi")
