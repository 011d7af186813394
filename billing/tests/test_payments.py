"""From a paid intent or session to credits: whose, how many, and only once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from accounts.models import ActivityEvent, CustomerFigures
from backoffice.lib import clock
from backoffice.lib.money import format_money
from billing.models import CreditPack, EventState, Payment, StripeEvent
from billing.services.processing import process_event
from billing.tests.flow import deliver, payment, post
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
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def customer():
    return CustomerFactory(external_id="u_ada", email="Ada@Example.com")


@pytest.fixture
def pack():
    return CreditPack.objects.create(
        name="Small", credits=100, price_minor=1000, currency="USD", stripe_price_id="price_small"
    )


def bought(**metadata):
    return payment_intent(metadata={"user_id": "u_ada", "credits": "100"} | metadata)


def is_parked(stored, *words):
    assert stored.state == EventState.PARKED, stored.error
    assert [word for word in words if word not in stored.error] == []
    assert not Payment.objects.exists()
    assert not CreditTransaction.objects.exists()
    return True


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
    assert (entry.lot.paid_minor, entry.lot.currency) == (1000, "USD")
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
    (other,) = deliver(event("charge.succeeded", charge(payment_intent="pi_1")))
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


def test_packs_times_quantity_by_the_price_of_the_line_items(customer, pack):
    CreditPack.objects.create(
        name="Old", credits="12.5", price_minor=200, currency="USD", stripe_price_id="price_old", is_active=False
    )
    session = checkout_session(
        "pi_1",
        metadata={"user_id": "u_ada"},
        amount_total=3600,
        line_items=line_items(("price_small", 3), ("price_old", 2)),
    )
    deliver(session_completed(session))
    assert payment().credits_purchased == Decimal(325)


def test_a_price_of_a_line_item_may_be_given_by_id_alone(customer, pack):
    items = line_items(("price_small", 2))
    items["data"][0]["price"] = "price_small"
    deliver(session_completed(checkout_session("pi_1", metadata={"user_id": "u_ada"}, line_items=items)))
    assert payment().credits_purchased == 200


def test_credits_in_the_metadata_come_before_the_line_items(customer, pack):
    session = checkout_session(
        "pi_1", metadata={"user_id": "u_ada", "credits": "0.5"}, line_items=line_items(("price_small", 3))
    )
    deliver(session_completed(session))
    assert payment().credits_purchased == Decimal("0.5")


@pytest.mark.parametrize(
    ("items", "word"),
    [
        (line_items(("price_small", 1), ("price_mug", 1)), "price_mug"),
        (line_items(("price_small", 0)), "how often"),
        (line_items(("price_small", None)), "how often"),
        (line_items(("price_small", 10**12)), "largest"),
        (line_items(), "do not add up"),
        (line_items(("price_small", 1), has_more=True), "STRIPE_SECRET_KEY"),
        ({"data": "many"}, "STRIPE_SECRET_KEY"),
        (None, "STRIPE_SECRET_KEY"),
    ],
)
def test_line_items_that_do_not_tell_the_credits_park(customer, pack, items, word):
    session = checkout_session("pi_1", metadata={"user_id": "u_ada"}, line_items=items)
    (stored,) = deliver(session_completed(session))
    assert is_parked(stored, word)


@pytest.mark.parametrize(
    "credits",
    ["0", "-1", "NaN", "Infinity", "1e5", "1_000", "1,000", "１００", "0.00001", "9223372036854775808", "", "x" * 500],
)
@pytest.mark.parametrize("by", ["intent", "session"])
def test_credits_in_the_metadata_that_are_no_amount_park(customer, credits, by):
    metadata = {"user_id": "u_ada", "credits": credits}
    told = {
        "intent": intent_succeeded(payment_intent(metadata=metadata)),
        "session": session_completed(checkout_session("pi_1", metadata=metadata)),
    }[by]
    (stored,) = deliver(told)
    assert is_parked(stored, "credits", "by hand")
    assert len(stored.error) < 500


@pytest.mark.parametrize(("credits", "booked"), [("0.2500", "0.25"), (250, "250"), ("1000000000", "1000000000")])
def test_credits_are_read_exactly(customer, credits, booked):
    deliver(intent_succeeded(bought(credits=credits)))
    assert payment().credits_purchased == Decimal(booked)


@pytest.mark.parametrize("key", ["user_id", "userId"])
def test_the_metadata_names_the_customer_by_the_products_id(customer, key):
    deliver(intent_succeeded(payment_intent(metadata={key: "u_ada", "credits": "1"})))
    assert payment().user_id == customer.pk


def test_our_own_id_serves_for_a_customer_without_one_of_the_product():
    stranger = CustomerFactory(external_id=None)
    deliver(intent_succeeded(bought(user_id=str(stranger.pk))))
    assert payment().user_id == stranger.pk


def test_our_own_id_does_not_serve_for_a_customer_with_one_of_the_product(customer):
    (stored,) = deliver(intent_succeeded(bought(user_id=str(customer.pk))))
    assert is_parked(stored, str(customer.pk))


def test_the_products_id_comes_before_our_own():
    by_our_id = CustomerFactory(external_id=None)
    by_theirs = CustomerFactory(external_id=str(by_our_id.pk))
    deliver(intent_succeeded(bought(user_id=str(by_our_id.pk))))
    assert payment().user_id == by_theirs.pk


def test_metadata_that_matches_nobody_parks_though_all_else_matches(customer):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    intent = bought(user_id="u_nobody") | {"customer": "cus_ada", "receipt_email": "ada@example.com"}
    (stored,) = deliver(intent_succeeded(intent))
    assert is_parked(stored, '"u_nobody"', "replay")


@pytest.mark.parametrize("reference", ["", " u_ada", "U_ADA", ["u_ada"], "x" * 600, "9" * 40, "-1"])
def test_metadata_is_not_read_with_good_will(customer, reference):
    (stored,) = deliver(intent_succeeded(bought(user_id=reference)))
    assert is_parked(stored)
    assert len(stored.error) < 400


def test_metadata_that_names_two_customers_parks(customer):
    CustomerFactory(external_id="u_bob")
    (stored,) = deliver(intent_succeeded(bought(userId="u_bob")))
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
    deliver(intent_succeeded(payment_intent(metadata={"credits": "1"}, customer=told, receipt_email="bob@example.com")))
    assert payment().user_id == customer.pk


def test_a_customer_of_stripe_that_is_unknown_parks_though_the_email_matches(customer):
    intent = payment_intent(metadata={"credits": "1"}, customer="cus_new", receipt_email="ada@example.com")
    (stored,) = deliver(intent_succeeded(intent))
    assert is_parked(stored, "cus_new", "replay")


@pytest.mark.parametrize(
    "told",
    [
        payment_intent(metadata={"credits": "1"}, receipt_email=" ADA@example.com"),
        payment_intent(metadata={"credits": "1"}, latest_charge=charge(billing_details={"email": "ada@example.com"})),
    ],
)
def test_with_neither_an_email_counts_and_is_not_remembered(customer, told):
    deliver(intent_succeeded(told))
    assert payment().user_id == customer.pk
    customer.refresh_from_db()
    assert customer.stripe_customer_id is None


def test_a_customer_of_stripe_that_is_told_later_is_not_remembered_by_an_email(customer):
    intent = payment_intent(id="pi_1", metadata={"credits": "1"}, receipt_email="ada@example.com")
    stored = deliver(intent_succeeded(intent), session_completed(checkout_session("pi_1", customer="cus_new")))
    assert {one.state for one in stored} == {EventState.PROCESSED}
    customer.refresh_from_db()
    assert customer.stripe_customer_id is None


def test_the_email_of_a_session_counts_too(customer):
    deliver(session_completed(checkout_session("pi_1", metadata={"credits": "1"}, email="ada@example.com")))
    assert payment().user_id == customer.pk


@pytest.mark.parametrize("email", ["ad@example.com", "ada@example.com.evil.example", "ada%", "", "a" * 300, None])
def test_an_email_that_is_not_exactly_a_customers_parks(customer, email):
    (stored,) = deliver(intent_succeeded(payment_intent(metadata={"credits": "1"}, receipt_email=email)))
    assert is_parked(stored, "email", "by hand")


def test_two_emails_of_two_customers_park(customer):
    CustomerFactory(email="bob@example.com")
    told = charge(billing_details={"email": "bob@example.com"})
    intent = payment_intent(metadata={"credits": "1"}, receipt_email="ada@example.com", latest_charge=told)
    (stored,) = deliver(intent_succeeded(intent))
    assert is_parked(stored)


@pytest.mark.parametrize("by", ["metadata", "stripe", "email"])
def test_staff_are_no_customers(by):
    StaffFactory(external_id="u_boss", stripe_customer_id="cus_boss", email="boss@example.com")
    told = {
        "metadata": payment_intent(metadata={"user_id": "u_boss", "credits": "1"}),
        "stripe": payment_intent(metadata={"credits": "1"}, customer="cus_boss"),
        "email": payment_intent(metadata={"credits": "1"}, receipt_email="boss@example.com"),
    }[by]
    (stored,) = deliver(intent_succeeded(told))
    assert is_parked(stored)


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


@pytest.mark.parametrize(
    ("amount", "currency", "booked", "shown"),
    [
        (500, "jpy", 500, "¥500"),
        (1000, "kwd", 1000, "KWD1.000"),
        (1234, "eur", 1234, "€12.34"),
        (50000, "isk", 500, "ISK500"),
        (10000, "ugx", 100, "UGX100"),
    ],
)
def test_amounts_keep_the_smallest_unit_of_their_currency(customer, amount, currency, booked, shown):
    deliver(intent_succeeded(bought() | {"amount_received": amount, "currency": currency}))
    paid = payment()
    assert (paid.amount_minor, paid.currency) == (booked, currency.upper())
    assert format_money(paid.amount_minor, paid.currency).replace("\xa0", "") == shown
    assert paid.transaction.lot.paid_minor == booked


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (None, "usd"),
        ("1000", "usd"),
        (True, "usd"),
        (10.5, "usd"),
        (0, "usd"),
        (-5, "usd"),
        (10**30, "usd"),
        (1000, "xxq"),
        (1000, None),
        (1000, "dollars"),
        (50050, "isk"),
    ],
)
def test_an_amount_that_cannot_be_booked_parks(customer, amount, currency):
    (stored,) = deliver(intent_succeeded(bought() | {"amount_received": amount, "currency": currency}))
    assert is_parked(stored, "Stripe")


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
    stored = deliver(
        intent_succeeded(intent),
        session_completed(checkout_session("pi_1", metadata={"user_id": "u_bob"})),
    )
    assert [one.state for one in stored] == [EventState.PROCESSED, EventState.PARKED]
    assert f"booked for customer {customer.pk}" in stored[1].error
    assert payment().user_id == customer.pk


@pytest.mark.parametrize(
    ("fields", "state", "word"),
    [
        ({"payment_status": "unpaid"}, EventState.IGNORED, "not paid yet"),
        ({"mode": "subscription", "payment_intent": None}, EventState.IGNORED, "subscription"),
        (
            {"mode": "setup", "payment_intent": None, "payment_status": "no_payment_required"},
            EventState.IGNORED,
            "card",
        ),
        ({"payment_intent": None, "payment_status": "no_payment_required"}, EventState.PARKED, "gift"),
        ({"payment_status": None}, EventState.PARKED, "whether it was paid"),
        ({"payment_intent": None}, EventState.PARKED, "no payment"),
    ],
)
def test_sessions_in_which_no_credits_were_paid_for(customer, fields, state, word):
    session = checkout_session("pi_1", metadata={"user_id": "u_ada", "credits": "100"}, **fields)
    (stored,) = deliver(session_completed(session))
    assert stored.state == state
    assert word in stored.error
    assert not Payment.objects.exists()


def test_a_session_paid_later_is_booked_when_it_is_paid(customer):
    session = checkout_session("pi_1", metadata={"user_id": "u_ada", "credits": "100"}, payment_status="unpaid")
    later = event("checkout.session.async_payment_succeeded", session | {"payment_status": "paid"})
    stored = deliver(session_completed(session), later)
    assert [one.state for one in stored] == [EventState.IGNORED, EventState.PROCESSED]
    assert payment().credits_purchased == 100


def test_line_items_of_a_session_told_twice_count_once(customer, pack):
    session = checkout_session("pi_1", metadata={"user_id": "u_ada"}, line_items=line_items(("price_small", 1)))
    unpaid = session_completed(session | {"payment_status": "unpaid"})
    deliver(unpaid, event("checkout.session.async_payment_succeeded", session))
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
    (stored,) = deliver(intent_succeeded(bought(user_id="<script>alert(1)</script>'; DROP TABLE billing_payment;--")))
    assert is_parked(stored, "<script>")


def test_an_event_processed_again_has_no_second_effect(customer):
    (stored,) = deliver(intent_succeeded(bought()))
    process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert stored.attempts == 1
    assert balance_of(customer.pk).balance == 100


def test_an_event_that_is_gone_does_no_harm():
    process_event(event_id=10**9)


def test_an_id_too_long_for_the_ledger_is_not_taken(customer):
    assert post(encoded(intent_succeeded(bought() | {"id": "pi_" + "1" * 300}))).status_code == 200
    stored = StripeEvent.objects.get()
    process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert is_parked(stored, "no payment")
    assert new_id("pi") != new_id("pi")
