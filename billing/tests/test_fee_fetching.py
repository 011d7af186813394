"""Stripe is asked for the fees that its events left out: a few at a time, and less often the older a payment is."""

from datetime import timedelta

import pytest

from backoffice.lib import clock
from billing.models import Payment
from billing.services.fee_fetching import LONGEST_DELAY, SHORTEST_DELAY, fetch_fees
from billing.services.syncing import sync
from billing.stripe_lists import Reader
from billing.tasks import fetch_fees as task
from billing.tests.flow import bought, deliver
from billing.tests.stripe_bodies import charge, intent_succeeded
from tests.stripe_lists import Trouble

pytestmark = pytest.mark.django_db

MOVE = {"id": "txn_1", "object": "balance_transaction", "amount": 1000, "currency": "eur", "fee": 59, "net": 941}


@pytest.fixture
def reader(stripe_lists):
    return Reader(tries=1)


@pytest.fixture(autouse=True)
def _payer(customer):
    """Whose payments they are."""


def paid(stripe_lists, number=1, *, fee=MOVE):
    """Payments that were booked by events without a fee, the last of them; Stripe knows their fee, unless None."""
    for each in range(number):
        intent = bought(id=f"pi_{each}")
        deliver(intent_succeeded(intent))
        stripe_lists.put("payment_intents", intent | {"latest_charge": charge(balance_transaction=fee)})
    return Payment.objects.last()


def fees():
    return list(Payment.objects.order_by("pk").values_list("fee_minor", "net_minor", "settlement_currency"))


def test_a_fee_is_written_in_the_currency_of_settlement_and_asked_for_once(stripe_lists):
    payment = paid(stripe_lists)
    assert (fetch_fees(), fees()) == (1, [(59, 941, "EUR")])
    assert stripe_lists.asked == [
        ("/v1/payment_intents/pi_0", {"expand[0]": "latest_charge.balance_transaction"}),
    ]
    task()
    assert len(stripe_lists.asked) == 1
    assert payment.fee_minor is None


def test_a_run_asks_for_a_few_only_and_the_next_goes_on(stripe_lists):
    paid(stripe_lists, 3)
    assert [fetch_fees(limit=2), fetch_fees(limit=2), fetch_fees(limit=2)] == [2, 1, 0]


def test_what_stripe_does_not_know_yet_is_asked_for_again_when_it_is_twice_as_old(stripe_lists):
    payment = paid(stripe_lists, fee=None)
    for age, delay in (
        (timedelta(), SHORTEST_DELAY),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=90), LONGEST_DELAY),
    ):
        now = clock.now()
        Payment.objects.update(paid_at=now - age, fee_due_at=now)
        with clock.at(now):
            assert fetch_fees() == 0
        payment.refresh_from_db()
        assert payment.fee_due_at == now + delay
        with clock.at(now + delay - timedelta(seconds=1)):
            stripe_lists.asked.clear()
            fetch_fees()
        assert stripe_lists.asked == []


def test_one_that_stripe_does_not_have_keeps_no_other_from_its_fee(stripe_lists):
    paid(stripe_lists, 2)
    stripe_lists.objects["payment_intents"].pop()
    assert (fetch_fees(), fees()[0][0], fees()[1][0]) == (1, None, 59)


def test_while_stripe_is_busy_nothing_more_is_asked_and_nothing_is_put_off(stripe_lists, reader):
    paid(stripe_lists, 2)
    stripe_lists.trouble("payment_intents/pi_0", Trouble(429, {"Retry-After": "60"}))
    assert fetch_fees(reader=reader) == 0
    assert len(stripe_lists.asked) == 1
    assert fetch_fees(reader=reader) == 2


def test_without_a_key_nothing_is_asked(stripe_lists, settings):
    paid(stripe_lists)
    settings.STRIPE_SECRET_KEY = ""
    assert fetch_fees() == 0
    assert stripe_lists.asked == []


def test_a_sync_brings_the_fees_along(stripe_lists):
    paid(stripe_lists)
    sync(since=None, only=["payments"])
    assert fees() == [(59, 941, "EUR")]
