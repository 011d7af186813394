"""The pages of billing as staff with few or many rights see them."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.lib import clock
from billing import selectors
from billing.admin.events import TypeFilter
from billing.models import EventState, ExchangeRate, Payment, StripeEvent
from billing.services.payments import PaymentDetails, Purchase, book_payment
from billing.tests.flow import deliver, page_of, payment, post, text_of
from billing.tests.stripe_bodies import (
    charge,
    checkout_session,
    encoded,
    event,
    intent_succeeded,
    payment_intent,
    session_completed,
)
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

PAYMENTS = reverse("admin:billing_payment_changelist")
EVENTS = reverse("admin:billing_stripeevent_changelist")
PACKS = reverse("admin:billing_creditpack_changelist")
SCRIPT = "<script>alert(1)</script>"


def paid(customer, number=1, **fields):
    return book_payment(
        purchase=Purchase(
            user_id=customer.pk,
            stripe_payment_id=f"pi_{number}",
            amount_minor=fields.get("amount_minor", 1234),
            currency=fields.get("currency", "USD"),
            credits=Decimal(100),
            details=PaymentDetails(paid_at=clock.now() - timedelta(days=number), charge_id=f"ch_{number}"),
        )
    )


def shown(response):
    return [row.pk for row in response.context["cl"].result_list]


def test_the_newest_payments_come_first_and_amounts_are_shown_in_their_currency(client, reader, customer):
    rows = [paid(customer, 2), paid(customer, 1, amount_minor=500, currency="JPY")]
    response = client.get(PAYMENTS)
    assert shown(response) == [row.pk for row in rows[::-1]]
    assert "$12.34" in text_of(response)
    assert "¥500" in text_of(response)
    assert "Ada@example.com" in text_of(response)


def test_payments_are_found_by_email_and_exact_id(client, reader, customer):
    mine = paid(customer, 1)
    other = paid(CustomerFactory(), 2)
    assert shown(client.get(PAYMENTS, {"q": "ada@EXAMPLE.com"})) == [mine.pk]
    assert shown(client.get(PAYMENTS, {"q": " pi_2 "})) == [other.pk]
    assert shown(client.get(PAYMENTS, {"q": "ch_1"})) == [mine.pk]
    for nothing in ("pi_", "a", "ada@example", "%", "nobody@example.com"):
        assert shown(client.get(PAYMENTS, {"q": nothing})) == []
    assert shown(client.get(PAYMENTS, {"user__exact": customer.pk})) == [mine.pk]


def test_a_search_by_email_asks_for_the_payments_of_that_one_customer(client, reader, customer):
    """So that their index gives the order, however many payments there are of others."""
    paid(customer, 1)
    with CaptureQueriesContext(connection) as queries:
        client.get(PAYMENTS, {"q": "ada@example.com"})
    asked = [query["sql"] for query in queries if 'FROM "billing_payment"' in query["sql"]]
    assert asked
    assert [sql for sql in asked if f'"billing_payment"."user_id" = {customer.pk}' not in sql] == []


def test_the_payments_list_takes_the_same_number_of_queries_for_few_and_many(
    client, reader, customer, django_assert_num_queries
):
    paid(customer, 1)
    client.get(PAYMENTS)
    with django_assert_num_queries(6):
        client.get(PAYMENTS)
    for number in range(2, 14):
        paid(CustomerFactory(), number)
    with django_assert_num_queries(6):
        client.get(PAYMENTS)


def test_the_inbox_takes_the_same_number_of_queries_for_few_and_many(client, reader, django_assert_num_queries):
    post(encoded(intent_succeeded(payment_intent())))
    client.get(EVENTS)
    with django_assert_num_queries(7):
        client.get(EVENTS)
    for _ in range(12):
        post(encoded(intent_succeeded(payment_intent())))
    with django_assert_num_queries(7) as queries:
        client.get(EVENTS)
    assert not any('"payload"' in query["sql"] or '"body"' in query["sql"] for query in queries.captured_queries)


def test_a_payment_leads_to_its_customer_entry_events_and_stripe(client, reader, customer, settings):
    deliver(intent_succeeded(payment_intent(id="pi_1", metadata={"user_id": "u_ada", "credits": "100"})))
    content = client.get(page_of(payment())).content.decode()
    for address in (
        reverse("admin:accounts_customer_change", args=[customer.pk]),
        reverse("admin:credits_credittransaction_change", args=[payment().transaction_id]),
        page_of(StripeEvent.objects.get()),
        "https://dashboard.stripe.com/test/payments/pi_1",
    ):
        assert f'href="{address}"' in content
    settings.STRIPE_LIVEMODE = True
    assert 'href="https://dashboard.stripe.com/payments/pi_1"' in client.get(page_of(payment())).content.decode()


def test_the_inbox_filters_by_state_type_and_mode(client, reader, customer):
    (parked,) = deliver(session_completed(checkout_session("pi_1")))
    (other,) = deliver(event("review.opened", charge()))
    (live,) = deliver(event("review.opened", charge(), livemode=True))
    assert shown(client.get(EVENTS)) == [live.pk, other.pk, parked.pk]
    assert shown(client.get(EVENTS, {"state__exact": "parked"})) == [parked.pk]
    assert shown(client.get(EVENTS, {"type": "checkout.session.completed"})) == [parked.pk]
    assert shown(client.get(EVENTS, {"type": "review.opened"})) == [live.pk, other.pk]
    offered = [text for _, text in TypeFilter.lookups(None, None, None)]
    assert offered == ["checkout.session.completed", "review.opened"]
    assert shown(client.get(EVENTS, {"livemode__exact": "1"})) == [live.pk]


def test_events_are_found_by_exact_id_of_event_payment_and_session(client, reader):
    session = checkout_session("pi_1", id="cs_1")
    (stored, other) = deliver(session_completed(session, id="evt_1"), intent_succeeded(payment_intent(id="pi_2")))
    for term in ("evt_1", "pi_1", "cs_1", " evt_1 "):
        assert shown(client.get(EVENTS, {"q": term})) == [stored.pk]
    assert shown(client.get(EVENTS, {"q": "pi_2"})) == [other.pk]
    for nothing in ("evt_", "cs", "%", "'"):
        assert shown(client.get(EVENTS, {"q": nothing})) == []


def test_hostile_text_in_an_event_is_shown_as_text(client, reader):
    intent = payment_intent(metadata={"user_id": SCRIPT, "credits": "1"}, description=SCRIPT)
    (stored,) = deliver(intent_succeeded(intent))
    for page in (EVENTS, page_of(stored)):
        content = client.get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in content
        assert SCRIPT not in content


def test_an_event_without_json_shows_its_bytes(client, reader):
    post(encoded(event("customer.updated", {"id": "cus_1", "name": "HERE"})).replace(b"HERE", b"\\u0000<b>"))
    content = client.get(page_of(StripeEvent.objects.get())).content.decode()
    assert "\\u0000&lt;b&gt;" in content


def test_the_sidebar_counts_what_waits_for_someone(client, reader, customer):
    deliver(session_completed(checkout_session("pi_1")), event("review.opened", charge()))
    deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "1"})))
    assert selectors.events_needing_attention() == 1
    content = client.get(PAYMENTS).content.decode()
    assert re.search(r"Stripe events\s*</span>\s*</a>\s*<a[^>]*>\s*1\b", content)


def test_the_count_leads_to_the_events_it_counts_and_home_does_too(client, reader, customer):
    parked, failed, _ = deliver(
        session_completed(checkout_session("pi_1")), event("review.opened", charge()), event("x", {"id": "x_1"})
    )
    StripeEvent.objects.filter(pk=failed.pk).update(state=EventState.FAILED, processed_at=None)
    for page in (PAYMENTS, reverse("admin:index")):
        content = client.get(page).content.decode()
        leads = set(re.findall(rf'href="({EVENTS}[^"]*)"', content))
        assert leads == {EVENTS, f"{EVENTS}?state__exact=attention"}
    response = client.get(EVENTS, {"state__exact": "attention"})
    assert shown(response) == [failed.pk, parked.pk]
    assert "Needs attention" in text_of(response)


def test_the_count_of_what_waits_is_capped():
    StripeEvent.objects.bulk_create(
        StripeEvent(
            stripe_id=f"evt_{n}", type="x", livemode=False, body=b"", state=EventState.PARKED, processed_at=clock.now()
        )
        for n in range(selectors.BADGE_LIMIT + 5)
    )
    assert selectors.events_needing_attention() == selectors.BADGE_LIMIT


@pytest.mark.parametrize("verb", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_nobody_writes_payments_or_events_by_hand(client, customer, verb):
    client.force_login(StaffFactory(is_superuser=True))
    row = paid(customer)
    post(encoded(intent_succeeded(payment_intent())))
    for base, pk in ((PAYMENTS, row.pk), (EVENTS, StripeEvent.objects.get().pk)):
        assert client.post(base + verb.format(pk=pk), {"amount_minor": "1", "state": "processed"}).status_code == 403
    assert Payment.objects.get().amount_minor == 1234
    assert StripeEvent.objects.get().state == EventState.RECEIVED


@pytest.mark.parametrize("page", [PAYMENTS, EVENTS, PACKS])
def test_each_list_needs_its_permission(client, page):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert client.get(page).status_code == 403


def test_the_customer_page_shows_the_latest_payments(client, customer):
    rows = [paid(customer, number) for number in range(1, 13)]
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "billing.view_payment"]))
    content = client.get(reverse("admin:accounts_customer_change", args=[customer.pk])).content.decode()
    assert [f'href="{page_of(row)}"' in content for row in rows] == [True] * 10 + [False] * 2
    assert f'href="{PAYMENTS}?user__exact={customer.pk}"' in content


def test_the_payments_of_a_customer_say_which_sums_their_spend_leaves_out(client, customer):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "billing.view_payment"]))
    address = reverse("admin:accounts_customer_change", args=[customer.pk])
    paid(customer, 1)
    paid(CustomerFactory(), 2, currency="GBP")
    assert "Not in" not in text_of(client.get(address))
    for number, currency in enumerate(["EUR", "JPY", "EUR"], 3):
        paid(customer, number, amount_minor=500, currency=currency)
    shown = " ".join(text_of(client.get(address)).split())
    assert "Not in “Spend”, since no rate to USD was entered for their days: €10.00 , ¥500" in shown
    ExchangeRate.objects.create(date="2020-01-01", base="EUR", quote="USD", rate="1.1")
    shown = " ".join(text_of(client.get(address)).split())
    assert "for their days: ¥500" in shown


def test_the_customer_page_hides_payments_from_those_who_may_not_see_them(client, customer):
    row = paid(customer)
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    content = client.get(reverse("admin:accounts_customer_change", args=[customer.pk])).content.decode()
    assert page_of(row) not in content
