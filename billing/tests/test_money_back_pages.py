"""The pages of refunds and disputes, and what a payment's page says of both."""

import re

import pytest
from django.urls import reverse

from billing import selectors
from billing.models import Dispute, Refund
from billing.tests.bodies.money_back import dispute, failed, refund, withdrawn
from billing.tests.flow import bought, deliver, page_of, payment, text_of
from billing.tests.stripe_bodies import CREATED, charge, event, intent_succeeded
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

REFUNDS = reverse("admin:billing_refund_changelist")
DISPUTES = reverse("admin:billing_dispute_changelist")
SCRIPT = "<script>alert(1)</script>"
# Session, the member and their rights, the counts of the sidebar, and the rows with all that they show.
QUERIES = 6


@pytest.fixture
def told(customer):
    """A payment, a refund of it that failed, and a dispute that waits for us."""
    given = refund(id="re_1", reason="requested_by_customer")
    deliver(
        intent_succeeded(bought(id="pi_1", latest_charge=charge(id="ch_1"))),
        event("refund.created", given, created=CREATED + 60),
        event("refund.failed", failed(given) | {"failure_reason": SCRIPT}, created=CREATED + 90),
        event("charge.dispute.created", withdrawn(dispute(id="dp_1", reason="product_not_received"))),
    )


@pytest.fixture
def reader(client):
    names = ["view_payment", "view_refund", "view_dispute"]
    client.force_login(StaffFactory(permissions=[f"billing.{name}" for name in names]))


def shown(response):
    return [row.pk for row in response.context["cl"].result_list]


def test_a_refund_says_of_what_and_why_it_failed(client, reader, told):
    text = client.get(page_of(Refund.objects.get())).content.decode()
    assert "&lt;script&gt;alert(1)" in text and SCRIPT not in text
    for words in ("$3.00", "Requested by customer", "Made in Stripe", "Failed", "ada@example.com"):
        assert words.lower() in text.lower()


def test_a_dispute_says_until_when_and_what_it_costs_and_leads_to_stripe(client, reader, told):
    response = client.get(page_of(Dispute.objects.get()))
    text = text_of(response)
    for words in ("$10.00", "Needs response", "Product not received", "$15.00"):
        assert words in text
    assert 'href="https://dashboard.stripe.com/test/disputes/dp_1"' in response.content.decode()


def test_a_payment_shows_what_became_of_its_money_and_leads_there(client, reader, told):
    response = client.get(page_of(payment()))
    content = response.content.decode()
    for row in (Refund.objects.get(), Dispute.objects.get()):
        assert f'href="{page_of(row)}"' in content
    assert "Disputed $10.00 Not given back $0.00" in " ".join(text_of(response).replace(":", "").split())


def test_a_payment_without_an_entry_has_a_page(client, reader, customer):
    body = bought(id="pi_1", status="canceled", cancellation_reason=SCRIPT)
    deliver(event("payment_intent.canceled", body))
    content = client.get(page_of(payment())).content.decode()
    assert "&lt;script&gt;alert(1)" in content and SCRIPT not in content


@pytest.mark.parametrize(("address", "model", "own"), [(REFUNDS, Refund, "re_1"), (DISPUTES, Dispute, "dp_1")])
def test_both_are_found_by_email_and_exact_id_and_filtered_by_status(client, reader, told, address, model, own):
    row = model.objects.get()
    for term in ("ADA@example.com", f" {own} ", "pi_1", "ch_1"):
        assert shown(client.get(address, {"q": term})) == [row.pk]
    CustomerFactory(email="bob@example.com")
    for nothing in (own[:3], "%", "bob@example.com", "nobody@example.com"):
        assert shown(client.get(address, {"q": nothing})) == []
    assert shown(client.get(address, {"status__exact": row.status})) == [row.pk]
    assert shown(client.get(address, {"status__exact": "canceled" if model is Refund else "won"})) == []


def test_the_sidebar_counts_the_disputes_that_wait_for_us_and_leads_to_them(client, reader, told):
    assert selectors.disputes_needing_us() == 1
    content = client.get(REFUNDS).content.decode()
    assert re.search(r"Disputes\s*</span>\s*</a>\s*<a[^>]*status__exact=attention[^>]*>\s*1\b", content)
    assert shown(client.get(DISPUTES, {"status__exact": "attention"})) == [Dispute.objects.get().pk]
    Dispute.objects.update(status="under_review")
    assert selectors.disputes_needing_us() == 0
    assert shown(client.get(DISPUTES, {"status__exact": "attention"})) == []


@pytest.mark.parametrize(("address", "model"), [(REFUNDS, Refund), (DISPUTES, Dispute)])
def test_a_list_takes_the_same_queries_however_long_it_is(
    client, reader, told, django_assert_num_queries, address, model
):
    client.get(address)
    with django_assert_num_queries(QUERIES):
        client.get(address)
    row = model.objects.get()
    for number in range(20):
        row.pk = None
        setattr(row, "stripe_refund_id" if model is Refund else "stripe_dispute_id", f"more_{number}")
        row.save(force_insert=True)
    with django_assert_num_queries(QUERIES):
        assert len(shown(client.get(address))) == 21
