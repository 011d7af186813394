"""What a payment was for: credits named in the metadata or packs by the prices of line items; and how much it was."""

from decimal import Decimal

import pytest

from backoffice.lib.money import format_money
from billing.models import CreditPack, EventState, Payment
from billing.tests.flow import bought, bought_with, deliver, is_parked, payment
from billing.tests.stripe_bodies import (
    checkout_session,
    event,
    intent_succeeded,
    line_items,
    payment_intent,
    session_completed,
)

pytestmark = pytest.mark.django_db


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
    deliver(intent_succeeded(bought_with("credits", credits)))
    assert payment().credits_purchased == Decimal(booked)


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
    assert paid.transaction.lots.get().paid_minor == booked


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


def test_line_items_of_a_session_told_twice_count_once(customer, pack):
    session = checkout_session("pi_1", metadata={"user_id": "u_ada"}, line_items=line_items(("price_small", 1)))
    unpaid = session_completed(session | {"payment_status": "unpaid"})
    deliver(unpaid, event("checkout.session.async_payment_succeeded", session))
    assert payment().credits_purchased == 100
