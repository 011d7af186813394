"""Subscriptions as staff find and read them, and what a customer's page tells of theirs."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from billing.admin.subscriptions import plan_of, until_of
from billing.models import Dispute, Invoice, Plan, PlanPrice, Refund, Subscription, SubscriptionChange
from billing.selectors import changes_of
from billing.tests.bodies.money_back import dispute, refund
from billing.tests.bodies.subscriptions import (
    MONTH,
    START,
    V2024,
    coupon,
    discount,
    item,
    price,
    subscription,
    told,
)
from billing.tests.flow import bought, deliver, page_of, text_of
from billing.tests.stripe_bodies import CREATED, charge, event, intent_succeeded
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:billing_subscription_changelist")
JUMP = reverse("admin:jump")


@pytest.fixture(autouse=True)
def _plan():
    pro = Plan.objects.create(key="pro", name="Pro plan")
    PlanPrice.objects.create(plan=pro, stripe_price_id="price_pro", amount_minor=2000, currency="USD", interval="month")


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    client.force_login(member)
    return member


def subscribed(of=None, at=START, **fields):
    """A subscription of Ada's, as its creation tells of it."""
    body = subscription(item(of or price(), id="si_1"), version=V2024, **{"id": "sub_1", **fields})
    deliver(told("created", body, at=at, version=V2024))
    return Subscription.objects.get(stripe_subscription_id=body["id"])


def shown(response):
    return [row.stripe_subscription_id for row in response.context["cl"].result_list]


def test_it_is_found_by_its_id_that_of_stripes_customer_and_an_email(client, boss, customer):
    subscribed()
    CustomerFactory(external_id="u_bob", email="bob@example.com")
    subscribed(id="sub_2", customer="cus_bob", metadata={"user_id": "u_bob"})
    for text in ("sub_1", "cus_ada", "ada@EXAMPLE.com"):
        assert shown(client.get(LIST, {"q": text})) == ["sub_1"], text
    assert shown(client.get(LIST, {"q": "nobody@example.com"})) == []


def test_ids_of_stripes_lead_to_the_pages_of_subscriptions_refunds_and_disputes(client, boss, customer):
    page = page_of(subscribed())
    deliver(
        intent_succeeded(bought(id="pi_1", latest_charge=charge(id="ch_1"))),
        event("refund.created", refund(id="re_1"), created=CREATED + 60),
        event("charge.dispute.created", dispute(id="dp_1")),
    )
    places = {"sub_1": page, "re_1": page_of(Refund.objects.get()), "dp_1": page_of(Dispute.objects.get())}
    for text, address in places.items():
        hits = [hit for group in client.get(JUMP, {"q": text}).context["groups"] for hit in group.hits]
        # Behind it the events that tell of it.
        assert hits[0].url == address, text
        assert {urlsplit(hit.url).path.split("/")[3] for hit in hits[1:]} == {"stripeevent"}
        assert "Ada@example.com" in hits[0].label


@pytest.mark.parametrize("text", ["sub_1", "re_1", "dp_1"])
def test_what_somebody_may_not_see_no_id_leads_to(client, customer, text):
    subscribed()
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert client.get(JUMP, {"q": text}).context["groups"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status__exact": "active"}, ["sub_1"]),
        ({"status__exact": "trialing"}, ["sub_2"]),
        ({"status__exact": "leaving"}, ["sub_3"]),
        ({"status__exact": "canceled"}, []),
    ],
)
def test_the_list_is_filtered_by_state_and_by_who_is_about_to_leave(client, boss, customer, query, found):
    subscribed()
    subscribed(id="sub_2", status="trialing")
    subscribed(id="sub_3", status="past_due", cancel_at_period_end=True, cancel_at=START + MONTH)
    assert shown(client.get(LIST, query)) == found


def test_the_list_asks_as_often_for_many_subscriptions_as_for_few(client, boss, customer):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    subscribed()
    client.get(LIST)
    few = asked()
    for number in range(10):
        subscribed(id=f"sub_many_{number}")
    assert asked() == few


def test_its_page_tells_prices_discounts_changes_and_where_it_is_told(client, boss, customer):
    of = discount(coupon(percent_off=25.0), V2024, id="di_1", subscription="sub_1")
    row = subscribed(discounts=[of])
    changed = subscription(item(price(5000, id="price_other"), 2, id="si_1"), version=V2024, id="sub_1")
    deliver(told("updated", changed, at=START + 60, version=V2024))
    page = client.get(page_of(row))
    text = " ".join(text_of(page).split())
    for words in (
        "2 x $50.00 each month",
        "MRR $100.00",
        "MRR $0.00 → $15.00",
        "MRR $15.00 → $100.00",
        "Ada@example.com",
    ):
        assert words in text, words
    assert 'href="https://dashboard.stripe.com/test/subscriptions/sub_1"' in page.content.decode()
    assert "customer.subscription.updated" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"discounts": [discount(coupon(percent_off=25.0), V2024)]}, "25% off for as long as it lasts, coupon QUARTER"),
        (
            {"discounts": [discount(coupon(percent_off=None, amount_off=500, currency="usd"), V2024)]},
            "$5.00 off each invoice",
        ),
        ({"pause_collection": {"behavior": "keep_as_draft", "resumes_at": None}}, "Active, not collected"),
        (
            {"pause_collection": {"behavior": "keep_as_draft", "resumes_at": None}},
            "Invoices: keep as draft, until it is",
        ),
        ({"status": "trialing", "trial_start": START, "trial_end": START + MONTH}, "Trial"),
        ({"cancel_at_period_end": True, "cancel_at": START + MONTH, "canceled_at": START}, "asked for"),
    ],
)
def test_its_page_says_what_is_special_about_it(client, boss, customer, fields, words):
    assert words in " ".join(text_of(client.get(page_of(subscribed(**fields)))).split())


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (price(None, usage_type="metered", billing_scheme="tiered"), "by use, each month"),
        (price(None, unit_amount_decimal="0.5"), "1 x 0.5 minor units each month"),
        (price(24_000, interval="month", interval_count=3), "1 x $240.00 each 3 months"),
    ],
)
def test_a_price_is_told_in_words(client, boss, customer, of, words):
    assert words in " ".join(text_of(client.get(page_of(subscribed(of)))).split())


def test_the_page_of_a_customer_tells_of_their_subscriptions_and_what_they_brought(client, boss, customer):
    page = reverse("admin:accounts_customer_change", args=[customer.pk])
    empty = text_of(client.get(page))
    assert "No subscription yet" in empty and "Nothing paid yet" in empty
    row = subscribed(cancel_at_period_end=True, cancel_at=START + MONTH)
    deliver(
        intent_succeeded(bought(id="pi_1", latest_charge=charge(id="ch_1"))),
        event("refund.created", refund(id="re_1", amount=300), created=CREATED + 60),
    )
    response = client.get(page)
    text = " ".join(text_of(response).split())
    assert "Pro plan Active $20.00" in text
    assert f'href="{page_of(row)}"' in response.content.decode()
    assert "USD $10.00 $3.00 $0.00" in text


def test_who_may_not_read_subscriptions_sees_no_panel_and_no_list(client, customer):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert client.get(LIST).status_code == 403
    assert "Subscriptions" not in text_of(client.get(reverse("admin:accounts_customer_change", args=[customer.pk])))


def test_the_sidebar_counts_those_whose_invoice_was_not_paid(client, boss, customer):
    subscribed(status="past_due")
    subscribed(id="sub_2")
    page = client.get(LIST).content.decode()
    assert f'href="{LIST}?status__exact=past_due"' in page


def test_they_are_taken_along_as_a_file_by_who_may_and_that_is_audited(client, boss, customer):
    subscribed()
    address = reverse("admin:billing_subscription_export", args=["subscriptions"])
    response = client.post(address, {"format": "csv"})
    head, line, *_ = b"".join(response.streaming_content).decode().splitlines()
    assert head.startswith("ID,User Email,Plan,Status,MRR,Currency,Stripe ID,Started")
    assert "Ada@example.com,Pro plan,active,20.00,USD,sub_1," in line
    assert AuditEntry.objects.filter(action="billing.export_subscriptions").count() == 1
    client.force_login(StaffFactory(permissions=["billing.view_subscription"]))
    assert client.post(address, {"format": "csv"}).status_code == 403


def test_an_invoice_leads_to_its_subscription_and_back(client, boss, customer):
    row = subscribed()
    found = Invoice.objects.create(
        user=customer,
        stripe_invoice_id="in_1",
        stripe_subscription_id="sub_1",
        status="open",
        currency="USD",
        issued_at=row.started_at,
    )
    assert f'href="{page_of(row)}"' in client.get(page_of(found)).content.decode()
    assert f'href="{page_of(found)}"' in client.get(page_of(row)).content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "trialing", "trial_start": START, "trial_end": START + MONTH}, "trial ends"),
        ({"cancel_at_period_end": True, "cancel_at": START + MONTH, "canceled_at": START}, "ends"),
        ({}, "renews"),
    ],
)
def test_what_comes_next_is_said_in_a_word(client, boss, customer, fields, words):
    row = subscribed(**fields)
    with clock.at(row.started_at + timedelta(days=1)):
        assert until_of(row)[0] == words


def test_a_renewal_that_nobody_told_of_is_due(customer):
    row = subscribed()
    with clock.at(row.current_period_end + timedelta(days=1)):
        assert until_of(row)[0] == "renewal due"


@pytest.mark.parametrize(
    ("of", "plan"),
    [
        (price(1000, id="price_pro"), "Pro plan"),
        (price(9000, id="price_pro", interval="year"), "Pro plan, each year"),
    ],
)
def test_its_plan_is_told_with_the_interval_that_is_not_the_month(customer, of, plan):
    assert plan_of(subscribed(of)) == plan


def test_what_changes_nothing_that_is_counted_is_no_change(client, boss, customer):
    row = subscribed()
    leaving = subscription(
        item(id="si_1"), version=V2024, id="sub_1", cancel_at_period_end=True, canceled_at=START + 60
    )
    deliver(told("updated", leaving, at=START + 60, version=V2024))
    assert SubscriptionChange.objects.count() == 2
    assert [change.at for change in changes_of(row, limit=50)] == [row.started_at]
