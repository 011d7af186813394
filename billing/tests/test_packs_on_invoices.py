"""Packs on invoices: what is bought by paying one, alone, by a checkout that made it, or beside a subscription."""

from datetime import UTC, datetime, timedelta
from math import factorial

import pytest

from backoffice.lib import clock
from billing import stripe_api
from billing.facts import line_item
from billing.models import EventState, Payment, Plan, PlanPrice, StripeEvent
from billing.services.processing import process_event
from billing.tests.bodies.invoices import MIDDLE, NEW, VERSIONS, invoice, invoice_payment, line
from billing.tests.flow import deliver, deliver_without_session, is_parked, payment
from billing.tests.orders import orders
from billing.tests.stripe_bodies import (
    CREATED,
    checkout_session,
    event,
    intent_succeeded,
    line_items,
    payment_intent,
    session_completed,
)
from credits.models import CreditTransaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(customer):
    customer.stripe_customer_id = "cus_ada"
    customer.save()
    return customer


def billed(version, *lines, kind="paid", **fields):
    """The event of a paid invoice of these lines which is of no subscription; the newest name no payment."""
    known = {"id": "in_1", "subscription": None, "status": "paid", "billing_reason": "manual"}
    whole = invoice(version, lines=list(lines), **known | {"payment_intent": "pi_1"} | fields)
    whole.pop("payments", None)
    return event(f"invoice.{kind}", whole, api_version=version)


def paying(version, **fields):
    """What tells of the payment of that invoice: the intent, and since 2025-03-31 what ties it to the invoice."""
    named = {"id": "pi_1", "metadata": {"user_id": "u_ada"}, "customer": "cus_ada"} | fields
    if version != NEW:
        return [intent_succeeded(payment_intent(**named, invoice="in_1"), api_version=version)]
    tie = event("invoice_payment.paid", invoice_payment("in_1", "pi_1", amount=1000), api_version=version)
    return [intent_succeeded(payment_intent(**named), api_version=version), tie]


def in_checkout(**fields):
    """The event of the session that made the invoice."""
    return session_completed(checkout_session("pi_1", **{"invoice": "in_1", "metadata": {"user_id": "u_ada"}} | fields))


def ends():
    states = set(StripeEvent.objects.values_list("state", flat=True))
    return states, list(Payment.objects.values_list("credits_purchased", "stripe_invoice_id"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("told", "mug", "bought"),
    [
        ({"line_items": line_items(("price_small", 1))}, 0, 100),
        ({}, 0, 100),
        ({"line_items": line_items(("price_small", 1), ("price_mug", 1))}, 400, 100),
        ({"metadata": {"user_id": "u_ada", "credits": "120"}}, 0, 120),
        ({"metadata": {"user_id": "u_ada", "credits": "120"}}, 1000, 120),
    ],
    ids=["listed", "by the invoice alone", "beside a mug", "more by metadata", "of a mug by metadata"],
)
def test_a_checkout_that_makes_an_invoice_ends_alike_in_any_order(ada, pack, version, told, mug, bought):
    lines = [line("price_small", amount=1000 - mug)] if mug < 1000 else []
    lines += [line("price_mug", amount=mug)] if mug else []
    story = [*paying(version), billed(version, *lines), in_checkout(**told)]
    found = list(orders(story, ends))
    assert len(found) == factorial(len(story))
    assert [end for end in found if end != ({EventState.PROCESSED}, [(bought, "in_1")])] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_one_off_invoice_sells_the_packs_on_it_once_no_session_has_come(ada, pack, version):
    told = billed(version, line("price_small", quantity=3, amount=900), line("price_mug", amount=100))
    deliver_without_session(told, *paying(version, metadata={}))
    assert ends() == ({EventState.PROCESSED}, [(300, "in_1")])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pack_on_the_invoice_of_a_subscription_is_bought_beside_the_allowance(ada, pack, version):
    plan = Plan.objects.create(key="pro", name="Pro", monthly_credits=1000, stripe_product_id="prod_pro")
    PlanPrice.objects.create(
        plan=plan, stripe_price_id="price_month", amount_minor=900, currency="USD", interval="month"
    )
    lines = [line("price_month", amount=900), line("price_small", amount=100, added=True)]
    began = in_checkout(mode="subscription", payment_intent=None, subscription="sub_ada")
    story = [*paying(version), billed(version, *lines, subscription="sub_ada"), began]
    with clock.at(datetime.fromtimestamp(CREATED + 60, UTC)):
        found = list(orders(story, lambda: (ends(), sorted(CreditTransaction.objects.values_list("kind", "amount")))))
    granted = [("allowance", 1000), ("purchase", 100)]
    for (states, payments), entries in found:
        assert states <= {EventState.PROCESSED, EventState.IGNORED}
        assert (payments, entries) == ([(100, "in_1")], granted)


def test_a_one_off_invoice_without_packs_is_for_something_else(ada, pack):
    deliver_without_session(billed(MIDDLE, line("price_mug", amount=1000)), *paying(MIDDLE))
    assert ends() == ({EventState.PROCESSED}, [(0, "in_1")])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("last", ["invoice", "session"])
def test_what_pays_an_invoice_waits_then_parks_and_goes_on_once_invoice_or_session_is_told(ada, pack, version, last):
    stored = deliver(*paying(version))
    assert {each.state for each in stored} == {EventState.RECEIVED}
    with clock.at(clock.now() + timedelta(minutes=15)):
        for each in stored:
            process_event(event_id=each.pk)
            each.refresh_from_db()
            assert is_parked(each, "Resend its invoice.paid")
        items = line_items(("price_small", 1))
        told = {"invoice": billed(version, line("price_small", amount=1000)), "session": in_checkout(line_items=items)}
        deliver(told[last])
        if last == "invoice":
            assert not Payment.objects.exists(), "its session may be as late"
    with clock.at(clock.now() + timedelta(minutes=31)):
        for each in stored:
            process_event(event_id=each.pk)
    assert ends() == ({EventState.PROCESSED}, [(100, "in_1")])


def test_a_draft_of_an_invoice_does_not_settle_what_stands_on_it(ada, pack):
    draft = billed(MIDDLE, line("price_mug", amount=1000), kind="created", status="draft", payment_intent=None)
    _, stored = deliver_without_session(draft, *paying(MIDDLE))
    assert is_parked(stored, "Resend its invoice.paid")


def test_an_invoice_with_more_lines_than_it_lists_is_read_from_stripe(ada, pack, settings, monkeypatch):
    told = billed(MIDDLE, line("price_mug", amount=1000), subscription="sub_ada")
    whole = told["data"]["object"]["lines"]
    whole["has_more"] = True
    _, stored = deliver(told, *paying(MIDDLE))
    assert is_parked(stored, "STRIPE_SECRET_KEY")
    listed = [*whole["data"], {"price": "price_small", "quantity": 2}]
    monkeypatch.setitem(stripe_api.ASK, "invoice lines", lambda asked: {"in_1": listed}[asked])
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    deliver(told | {"id": "evt_again", "type": "invoice.updated"})
    assert payment().credits_purchased == 200


@pytest.mark.parametrize(
    ("quantity", "fields", "word"),
    [(10**12, {}, "largest"), (1, {"amount": 400}, "a part of in_1")],
)
def test_an_invoice_whose_packs_cannot_be_counted_parks(ada, pack, quantity, fields, word):
    told = billed(MIDDLE, line("price_small", quantity=quantity, amount=1000), subscription="sub_ada")
    _, stored = deliver(told, *paying(MIDDLE, **fields))
    assert is_parked(stored, word)


@pytest.mark.parametrize(
    ("bought", "words"),
    [
        (("price_small", 2), ["booked with 0 credits", "200 credits", "by hand"]),
        (("price_cup", 1), ["price_cup"]),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
def test_a_session_that_comes_after_its_payment_was_booked_with_nothing_parks(
    ada, pack, settings, monkeypatch, bought, words, is_listed
):
    deliver_without_session(billed(MIDDLE, line("price_mug", amount=1000)), *paying(MIDDLE))
    items = line_items(bought)
    if not is_listed:
        settings.STRIPE_SECRET_KEY = "sk_test_1"
        monkeypatch.setitem(stripe_api.ASK, "line items", lambda asked: [line_item(each) for each in items["data"]])
    (stored,) = deliver(in_checkout(line_items=items if is_listed else None))
    assert (stored.state, [word for word in words if word not in stored.error]) == (EventState.PARKED, [])
    assert payment().credits_purchased == 0


def test_a_session_whose_payment_has_its_credits_asks_nothing_of_stripe(ada, pack, settings):
    deliver_without_session(billed(MIDDLE, line("price_small", amount=1000)), *paying(MIDDLE))
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "sk_test_1", "http://127.0.0.1:1"
    (stored,) = deliver(in_checkout())
    assert (stored.state, payment().credits_purchased) == (EventState.PROCESSED, 100)
