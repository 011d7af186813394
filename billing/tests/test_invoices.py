"""Invoices: one row for each, as Stripe said last, whatever the order and the version it was told in."""

from datetime import UTC, datetime, timedelta
from math import factorial

import pytest
from django.db import transaction

from accounts.models import Customer
from backoffice.lib import clock
from billing.models import EventState, Invoice, StripeEvent
from billing.services.inbox import claim_due_events
from billing.services.processing import process_event
from billing.tests.bodies.invoices import NEW, VERSIONS, invoice, line
from billing.tests.flow import deliver
from billing.tests.orders import orders, tell
from billing.tests.stripe_bodies import CREATED, event

pytestmark = pytest.mark.django_db

NOW = datetime.fromtimestamp(CREATED + 60, UTC)


@pytest.fixture(autouse=True)
def _a_minute_later():
    with clock.at(NOW):
        yield


@pytest.fixture(autouse=True)
def ada(customer):
    Customer.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    return customer


def a_draft_of(told):
    return told | {"status": "draft", "number": None, "hosted_invoice_url": None, "amount_paid": 0}


def told(kind, subject, *, after=0, version=NEW, **fields):
    return event(f"invoice.{kind}", subject, created=CREATED + after, api_version=version, **fields)


def of_nobodys_plan(version=NEW, **fields):
    """An invoice that grants nothing: it pays for a time that is over."""
    return invoice(version, lines=[line("price_use", start=CREATED - 60, end=CREATED)], **fields)


def facts():
    """What is known of all invoices, without ids of ours and when they were written."""
    rows = Invoice.objects.order_by("stripe_invoice_id").values()
    hidden = ("id", "created_at", "updated_at")
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_invoice_is_kept_with_what_it_says_in_any_version(ada, version):
    paid = invoice(
        version,
        id="in_1",
        lines=[line("price_use", amount=2000, start=CREATED - 60, end=CREATED)],
        tax=380,
        status="paid",
        billing_reason="subscription_create",
        due_date=CREATED + 86_400,
    )
    (stored,) = deliver(told("updated", paid, after=4, version=version))
    assert stored.state == EventState.PROCESSED, stored.error
    (row,) = facts()
    assert row == {
        "user_id": ada.pk,
        "stripe_invoice_id": "in_1",
        "stripe_subscription_id": "sub_ada",
        "number": "ADA-0001",
        "status": "paid",
        "billing_reason": "subscription_create",
        "currency": "USD",
        "subtotal_minor": 2000,
        "tax_minor": 380,
        "total_minor": 2380,
        "amount_due_minor": 2380,
        "amount_paid_minor": 2380,
        "hosted_url": "https://invoice.stripe.com/i/acct_1/test_ada?s=ap",
        "attempt_count": 1,
        "next_attempt_at": None,
        "period_start": datetime.fromtimestamp(CREATED - 30 * 86_400, UTC),
        "period_end": datetime.fromtimestamp(CREATED, UTC),
        "monthly_credits": None,
        "allowance_start": None,
        "issued_at": datetime.fromtimestamp(CREATED, UTC),
        "due_at": datetime.fromtimestamp(CREATED + 86_400, UTC),
        "paid_at": datetime.fromtimestamp(CREATED + 3, UTC),
        "as_of": datetime.fromtimestamp(CREATED + 4, UTC),
        "as_of_rank": 2,
    }


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("jpy", 500, 500), ("kwd", 1000, 1000), ("isk", 50_000, 500), ("usd", -700, -700)]
)
def test_amounts_are_in_minor_units_of_their_currency_and_may_be_owed_to_the_customer(currency, amount, minor):
    deliver(told("updated", invoice(NEW, lines=[line("price_use", amount=amount, end=CREATED)], currency=currency)))
    assert Invoice.objects.get().total_minor == minor


def test_whose_an_invoice_is_the_metadata_of_its_subscription_says_before_stripes_customer(ada):
    grace = Customer.objects.create(email="grace@example.com", external_id="u_grace")
    for number, version in enumerate(VERSIONS):
        named = of_nobodys_plan(version, subscription_metadata={"user_id": "u_grace"}, subscription=f"sub_{number}")
        deliver(told("created", named, version=version))
    assert {row.user_id for row in Invoice.objects.all()} == {grace.pk}


def test_without_a_customer_of_stripes_the_email_says_whose_it_is_and_is_not_remembered(ada):
    Customer.objects.filter(pk=ada.pk).update(stripe_customer_id=None)
    deliver(told("created", of_nobodys_plan(customer=None)))
    ada.refresh_from_db()
    assert (Invoice.objects.get().user_id, ada.stripe_customer_id) == (ada.pk, None)


def test_an_unknown_customer_of_stripes_is_waited_for_then_somebody_has_to_look(ada):
    (stored,) = deliver(told("created", of_nobodys_plan(customer="cus_new")))
    assert (stored.state, stored.next_attempt_at) == (EventState.RECEIVED, NOW + timedelta(minutes=15))
    with clock.at(NOW + timedelta(minutes=15)):
        process_event(event_id=stored.pk)
    stored.refresh_from_db()
    assert stored.state == EventState.PARKED
    assert "cus_new" in stored.error
    assert not Invoice.objects.exists()


def test_what_waits_for_a_customer_of_stripes_goes_on_once_its_metadata_names_them(ada):
    Customer.objects.filter(pk=ada.pk).update(stripe_customer_id=None)
    (waiting,) = deliver(told("created", of_nobodys_plan()))
    assert waiting.state == EventState.RECEIVED
    with clock.at(NOW + timedelta(minutes=20)):
        process_event(event_id=waiting.pk)
        named = {"id": "cus_ada", "object": "customer", "metadata": {"user_id": "u_ada"}, "email": None}
        deliver(event("customer.created", named))
        for event_id in claim_due_events(limit=10):
            process_event(event_id=event_id)
    waiting.refresh_from_db()
    assert waiting.state == EventState.PROCESSED, waiting.error
    assert Invoice.objects.get().user_id == ada.pk
    ada.refresh_from_db()
    assert ada.stripe_customer_id == "cus_ada"


def a_story_of(version):
    """Made, finalized, tried in vain, paid, and touched once more."""
    paid = of_nobodys_plan(version, id="in_1", status="paid")
    still_open = of_nobodys_plan(version, id="in_1") | {"lines": paid["lines"], "attempt_count": 1}
    return [
        told("created", a_draft_of(still_open), version=version),
        told("finalized", still_open | {"attempt_count": 0}, version=version),
        told("payment_failed", still_open, after=1, version=version),
        told("paid", paid, after=9, version=version),
        told("updated", paid | {"number": "ADA-0002"}, after=10, version=version),
    ]


def stands():
    return set(StripeEvent.objects.values_list("state", flat=True)), facts()


def in_one_order(events):
    """What is left of these events in this order; nothing of it stays."""
    with transaction.atomic():
        for body in events:
            tell(body)
        found = stands()
        transaction.set_rollback(True)
    return found


def test_in_any_order_and_version_a_story_of_five_events_ends_the_same():
    ends = list(orders(a_story_of(NEW), stands))
    assert len(ends) == factorial(5)
    for version in VERSIONS[:2]:
        ends += [in_one_order(a_story_of(version)), in_one_order(a_story_of(version)[::-1])]
    states, expected = ends[0]
    assert states == {EventState.PROCESSED}
    assert [(row["status"], row["number"], row["amount_paid_minor"]) for row in expected] == [
        ("paid", "ADA-0002", 2000)
    ]
    assert [found for found in ends if found != ends[0]] == []


@pytest.mark.parametrize(("kind", "status"), [("paid", "paid"), ("voided", "void"), ("deleted", "draft")])
def test_from_a_final_state_an_invoice_does_not_come_back(kind, status):
    of_its_end = of_nobodys_plan(id="in_1", status=status)
    deliver(told(kind, of_its_end), told("updated", of_nobodys_plan(id="in_1"), after=30))
    assert Invoice.objects.get().status == {"paid": "paid", "voided": "void", "deleted": "void"}[kind]


def test_an_invoice_that_is_told_of_as_paid_and_as_void_is_paid_in_every_order():
    paid, void = (of_nobodys_plan(id="in_1", status=status) for status in ("paid", "void"))
    story = [
        told("paid", paid, after=5),
        told("payment_failed", of_nobodys_plan(id="in_1"), after=7),
        told("voided", void, after=9),
    ]
    assert set(orders(story, lambda: Invoice.objects.get().status)) == {"paid"}


def test_what_was_written_off_may_still_be_paid():
    written_off = of_nobodys_plan(id="in_1", status="uncollectible")
    deliver(told("marked_uncollectible", written_off))
    assert Invoice.objects.get().status == "uncollectible"
    deliver(told("paid", of_nobodys_plan(id="in_1", status="paid"), after=30))
    assert Invoice.objects.get().status == "paid"


def test_an_event_of_the_other_mode_is_kept_and_not_applied():
    (stored,) = deliver(told("paid", of_nobodys_plan(status="paid"), livemode=True))
    assert (stored.state, Invoice.objects.count()) == (EventState.IGNORED, 0)


@pytest.mark.parametrize("count", [2**31, 2**63, 10**40])
def test_more_attempts_than_can_be_kept_keep_nothing_else_from_being_known(count):
    (stored,) = deliver(told("paid", of_nobodys_plan(status="paid", attempt_count=count)))
    assert stored.state == EventState.PROCESSED, stored.error
    assert (Invoice.objects.get().status, Invoice.objects.get().attempt_count) == ("paid", 2**31 - 1)


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "in_1", "object": "invoice"},
        {"id": "in_1", "status": 7, "lines": [], "customer": {"id": []}},
        {"id": "in_1", "status": "paid", "lines": {"data": [None, 5, {}]}, "currency": "usd", "total": "x"},
        {"id": "in_1", "status": "open", "currency": "xxq", "total": 5, "customer": "cus_ada"},
    ],
)
def test_an_invoice_that_is_none_is_kept_for_somebody_to_look_at(odd):
    (stored,) = deliver(told("updated", odd))
    assert stored.state in (EventState.PARKED, EventState.PROCESSED), stored.error
