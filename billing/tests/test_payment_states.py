"""Payments in all their states, told by intents, charges and invoices."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from math import factorial

import pytest

from accounts.models import CustomerFigures
from backoffice.lib import clock
from backoffice.lib.hooks import hooks
from billing.facts import UNKNOWN_METHOD
from billing.models import EventState, Payment, PaymentStatus, StripeEvent
from billing.services.attempts import Attempt, book_attempt
from billing.services.fees import set_fee
from billing.tests.bodies.money_back import balance_transaction, refunded_charge
from billing.tests.flow import bought, deliver, deliver_without_session, is_parked, payment
from billing.tests.orders import orders
from billing.tests.stripe_bodies import (
    CREATED,
    charge,
    checkout_session,
    event,
    intent_succeeded,
    payment_intent,
    session_completed,
)
from credits.models import CreditTransaction
from credits.selectors import balance_of
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

PAYER = {"user_id": "u_ada", "credits": "100"}


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(CREATED + seconds, UTC)


def attempt(kind: str, seconds: int = 0, **fields) -> dict:
    """An intent that has not succeeded, and the event that says so."""
    status = {"canceled": "canceled", "processing": "processing"}.get(kind, "requires_payment_method")
    known = {"id": "pi_1", "metadata": {"user_id": "u_ada"}, "status": status, "latest_charge": None}
    intent = payment_intent(**known | fields) | {"amount_received": 0}
    return event(f"payment_intent.{kind}", intent, created=CREATED + seconds)


def declined(seconds: int = 10, message: str = "Your card was declined.", **fields) -> dict:
    card = {"id": "pm_1", "type": "card", "card": {"brand": "visa", "last4": "0002"}}
    error = {"code": "card_declined", "message": message, "payment_method": card, "type": "card_error"}
    return attempt("payment_failed", seconds, last_payment_error=error, **fields)


def charged(**fields) -> dict:
    return charge(**{"id": "ch_1", "payment_intent": "pi_1", "metadata": PAYER} | fields)


def stands() -> tuple:
    paid = payment()
    return paid.status, paid.failure, paid.method, paid.paid_at


def test_an_attempt_that_was_declined_is_kept_with_the_reason_and_moves_nothing(customer):
    (stored,) = deliver(declined())
    assert stored.state == EventState.PROCESSED
    assert stands() == (PaymentStatus.FAILED, "Your card was declined.", "Visa •••• 0002", at(10))
    paid = payment()
    assert (paid.user_id, paid.amount_minor, paid.credits_purchased) == (customer.pk, 1000, 0)
    assert not CreditTransaction.objects.exists()
    assert CustomerFigures.objects.get(user=customer).spend_minor == 0


def test_tries_and_success_in_any_order_are_one_paid_payment(customer):
    story = [
        attempt("created"),
        attempt("processing", 5),
        declined(),
        intent_succeeded(bought(id="pi_1"), created=CREATED + 60),
    ]
    with clock.at(at(100)):
        ends = list(orders(story, lambda: (stands(), balance_of(customer.pk).balance, states())))
    assert len(ends) == factorial(len(story))
    for standing, balance, found in ends:
        assert (standing, balance) == ((PaymentStatus.SUCCEEDED, "", "Card", at(60)), 100)
        assert found <= {EventState.PROCESSED, EventState.IGNORED}


def states():
    return set(StripeEvent.objects.values_list("state", flat=True))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_tries_the_last_counts(customer, order):
    story = [attempt("created"), declined(), attempt("processing", 20)]
    deliver(*(story[place] for place in order))
    assert stands() == (PaymentStatus.PENDING, "", "Card", at(20))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_from_a_cancellation_there_is_no_way_back(customer, order):
    story = [declined(), attempt("canceled", 30, cancellation_reason="abandoned"), attempt("processing", 40)]
    deliver(*(story[place] for place in order))
    assert stands()[:2] == (PaymentStatus.CANCELED, "abandoned")
    assert payment().paid_at == at(30)


def test_a_row_whose_events_were_emptied_is_not_taken_back(customer):
    deliver(declined())
    StripeEvent.objects.update(body=b"", payload=None)
    deliver(attempt("created"))
    assert stands()[0] == PaymentStatus.FAILED


def test_what_a_try_says_late_does_not_touch_a_paid_payment(customer):
    deliver(intent_succeeded(bought(id="pi_1")))
    StripeEvent.objects.update(body=b"", payload=None)
    deliver(declined(900))
    assert stands()[:2] == (PaymentStatus.SUCCEEDED, "")
    tried = Attempt(
        user_id=customer.pk,
        stripe_payment_id="pi_1",
        stripe_invoice_id="",
        amount_minor=1,
        currency="USD",
        status=PaymentStatus.CANCELED,
        failure="",
        method=UNKNOWN_METHOD,
        at=at(999),
    )
    book_attempt(attempt=tried)
    book_attempt(attempt=replace(tried, status=PaymentStatus.FAILED))
    assert payment().amount_minor == 1000


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"metadata": {}}, "nothing says which customer"),
        ({"metadata": {"user_id": "u_nobody"}}, '"u_nobody"'),
        ({"metadata": {}, "customer": "cus_nobody"}, "nothing says which customer"),
        ({"currency": "zzz"}, "no currency"),
        ({"amount": None}, "how much"),
    ],
)
def test_an_attempt_that_nobody_can_be_asked_about_is_no_work_for_anybody(customer, fields, reason):
    (stored,) = deliver(declined(**fields))
    assert stored.state == EventState.IGNORED
    assert "No money moved" in stored.error and reason in stored.error
    assert not Payment.objects.exists()


@pytest.mark.parametrize("status", [None, ["canceled"], ""])
def test_an_attempt_that_does_not_say_how_it_stands_is_not_guessed(customer, status):
    (stored,) = deliver(attempt("created", status=status))
    assert (stored.state, "does not say how" in stored.error) == (EventState.IGNORED, True)
    assert not Payment.objects.exists()


def test_a_demo_customers_attempt_is_not_counted():
    CustomerFactory(external_id="u_ada", demo_mode=True)
    (stored,) = deliver(declined())
    assert (stored.state, "demo" in stored.error) == (EventState.IGNORED, True)


@pytest.mark.parametrize("known_by", [{"customer": "cus_ada"}, {"receipt_email": "ada@example.com"}])
def test_an_attempt_is_of_whom_stripe_or_the_address_means(customer, known_by):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    deliver(declined(metadata={}, **known_by))
    assert payment().user_id == customer.pk


def test_a_charge_alone_books_its_payment(customer):
    (stored,) = deliver(event("charge.succeeded", charged()))
    assert stored.state == EventState.PROCESSED
    paid = payment()
    assert (paid.stripe_charge_id, paid.method, paid.credits_purchased) == ("ch_1", "Visa •••• 4242", 100)


def test_a_charge_that_only_reserves_is_pending_and_counts_as_it_is_captured(customer):
    reserved = charged(captured=False, amount_captured=0)
    deliver(event("charge.succeeded", reserved))
    assert (payment().status, payment().amount_minor) == (PaymentStatus.PENDING, 1000)
    captured = charged(amount_captured=800, amount_refunded=200)
    deliver(event("charge.captured", captured, created=CREATED + 50))
    paid = payment()
    # What was reserved beyond it was released, not refunded.
    assert (paid.status, paid.amount_minor, paid.refunded_minor) == (PaymentStatus.SUCCEEDED, 800, 0)
    assert balance_of(customer.pk).balance == 100


def test_a_reservation_that_is_released_gives_nothing_back(customer):
    released = refunded_charge(1000, captured=False, amount_captured=0)
    (stored,) = deliver(event("charge.refunded", released))
    assert (stored.state, "took no money" in stored.error) == (EventState.IGNORED, True)


def test_a_charge_and_its_intent_ask_somebody_once(customer):
    intent = payment_intent(id="pi_1", metadata=PAYER | {"user_id": "u_nobody"})
    of_charge = event("charge.succeeded", charged(metadata=PAYER | {"user_id": "u_nobody"}))
    first, second = deliver(of_charge, intent_succeeded(intent))
    first.refresh_from_db()
    assert (first.state, second.state) == (EventState.IGNORED, EventState.PARKED)
    assert is_parked(second, "u_nobody")


@pytest.mark.parametrize(
    ("told", "currency", "ours"), [(500, "jpy", 500), (1000, "kwd", 1000), (1200, "isk", 12), (700, "eur", 700)]
)
def test_stripes_amounts_are_read_in_the_units_of_their_currency(customer, told, currency, ours):
    body = charged(amount=told, amount_captured=told, currency=currency)
    deliver(event("charge.succeeded", body))
    assert (payment().amount_minor, payment().currency) == (ours, currency.upper())
    deliver(event("charge.refunded", body | {"amount_refunded": told, "refunded": True}, created=CREATED + 9))
    assert (payment().refunded_minor, payment().status) == (ours, PaymentStatus.REFUNDED)
    assert balance_of(customer.pk).balance == 0


def test_the_fee_is_read_where_stripe_tells_it_and_stays(customer):
    settled = balance_transaction(amount=9200, fee=520, net=8680, currency="eur", exchange_rate=9.2)
    deliver(intent_succeeded(bought(id="pi_1", latest_charge=charged(balance_transaction=settled))))
    paid = payment()
    assert (paid.fee_minor, paid.net_minor, paid.settlement_currency) == (520, 8680, "EUR")
    deliver(event("charge.updated", charged(), created=CREATED + 5))
    assert payment().fee_minor == 520
    before = payment().updated_at
    set_fee(payment_id=paid.pk, fee_minor=520, net_minor=8680, settlement_currency="EUR")
    assert payment().updated_at == before


@pytest.mark.parametrize("odd", ["txn_1", None, {}, {"fee": "1", "net": 2, "currency": "usd"}, {"fee": 1, "net": 2}])
def test_a_fee_that_is_not_told_is_unknown(customer, odd):
    deliver(event("charge.succeeded", charged(balance_transaction=odd)))
    assert payment().fee_minor is None


def test_who_listens_hears_of_each_payment_once(customer, django_capture_on_commit_callbacks):
    heard = []
    hooks.on("payment_succeeded", "test", lambda payment_id: heard.append(payment_id))
    try:
        with django_capture_on_commit_callbacks(execute=True):
            deliver(declined(), *[intent_succeeded(bought(id="pi_1"), created=CREATED + 60) for _ in range(2)])
    finally:
        hooks._handlers["payment_succeeded"].pop("test")
    assert heard == [payment().pk]


def invoice_paid(*, version: str, metadata: dict | None = None, **fields) -> dict:
    """An invoice of a subscription that was paid, which names its payment if it is an old one."""
    details = {"metadata": metadata or {}, "subscription": "sub_1"}
    body = {
        "id": "in_1",
        "object": "invoice",
        "currency": "usd",
        "customer": "cus_ada",
        "metadata": {},
        "status": "paid",
    }
    if version >= "2025-03-31":
        body["parent"] = {"quote_details": None, "subscription_details": details, "type": "subscription_details"}
    else:
        body |= {
            "subscription": "sub_1",
            "subscription_details": {"metadata": metadata or {}},
            "payment_intent": "pi_1",
        }
    return event("invoice.updated", body | fields, api_version=version, created=CREATED - 1)


def paid_for_invoice(*, version: str, **fields) -> list[dict]:
    """The events by which the payment of an invoice is told."""
    known = {"id": "pi_1", "customer": "cus_ada", "latest_charge": "ch_1"}
    if version < "2025-03-31":
        return [intent_succeeded(payment_intent(**known, invoice="in_1") | fields, api_version=version)]
    told = {
        "id": "inpay_1",
        "object": "invoice_payment",
        "amount_paid": 1000,
        "amount_requested": 1000,
        "created": CREATED,
        "currency": "usd",
        "invoice": "in_1",
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": "pi_1", "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": CREATED},
    }
    return [
        intent_succeeded(payment_intent(**known) | fields, api_version=version),
        event("invoice_payment.paid", told, api_version=version),
    ]


def is_invoice_paid_by(customer) -> bool:
    paid = payment()
    assert (paid.user_id, paid.stripe_invoice_id, paid.status) == (customer.pk, "in_1", PaymentStatus.SUCCEEDED)
    assert (paid.credits_purchased, paid.transaction_id) == (0, None)
    assert not CreditTransaction.objects.exists()
    assert CustomerFigures.objects.get(user=customer).spend_minor == 1000
    return True


@pytest.mark.parametrize("version", ["2022-11-15", "2024-06-20", "2025-10-29.clover"])
def test_what_pays_an_invoice_buys_no_credits_and_is_of_whom_the_subscription_names(customer, version):
    CustomerFactory(stripe_customer_id="cus_ada")
    story = [invoice_paid(version=version, metadata={"user_id": "u_ada"}), *paid_for_invoice(version=version)]
    for number, order in enumerate(permutations(story)):
        deliver(*(body | {"id": f"{body['id']}_{number}"} for body in order))
        assert is_invoice_paid_by(customer)
    assert not StripeEvent.objects.filter(state__in=["parked", "failed"]).exists()


@pytest.mark.parametrize("version", ["2024-06-20", "2025-10-29.clover"])
def test_without_metadata_it_is_of_stripes_customer(customer, version):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    deliver(*paid_for_invoice(version=version))
    assert not Payment.objects.exists()
    deliver(invoice_paid(version=version))
    assert is_invoice_paid_by(customer)


@pytest.mark.parametrize("version", ["2024-06-20", "2025-10-29.clover"])
def test_what_pays_an_invoice_that_is_never_told_of_asks_for_it_and_goes_on_once_it_is(customer, version):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    for stored in deliver_without_session(*paid_for_invoice(version=version)):
        assert is_parked(stored, "in_1", "Resend its invoice.paid")
    deliver(invoice_paid(version=version))
    assert is_invoice_paid_by(customer)
    assert states() == {EventState.PROCESSED}


def test_an_invoice_that_a_checkout_made_takes_no_credits_away(customer):
    story = paid_for_invoice(version="2025-10-29.clover")
    deliver(*story, session_completed(checkout_session("pi_1", metadata=PAYER, invoice="in_1")))
    paid = payment()
    assert (paid.credits_purchased, paid.stripe_invoice_id) == (100, "in_1")


def test_an_invoice_paid_outside_of_stripe_is_no_payment(customer):
    (_, told) = paid_for_invoice(version="2025-10-29.clover")
    told["data"]["object"]["payment"] = {"type": "payment_record", "payment_record": "pr_1"}
    (stored,) = deliver(told)
    assert stored.state == EventState.IGNORED


def test_an_invoice_of_a_demo_customer_is_not_counted(customer):
    customer.demo_mode = True
    customer.save()
    version = "2024-06-20"
    deliver(invoice_paid(version=version, metadata={"user_id": "u_ada"}))
    (stored,) = deliver(*paid_for_invoice(version=version))
    assert is_parked(stored, "demo")


def test_a_charge_that_failed_stays_so_whatever_else_is_told_of_it(customer):
    tried = charge(
        id="ch_1", payment_intent="pi_1", status="failed", paid=False, captured=False, metadata={"user_id": "u_ada"}
    )
    deliver(event("charge.failed", tried), event("charge.updated", tried, created=CREATED + 600))
    assert payment().status == PaymentStatus.FAILED
