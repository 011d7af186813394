"""Invoices, plans and rates as staff see and keep them, and payment methods as Stripe tells them at that moment."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import stripe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Customer
from audit.models import AuditEntry
from billing import stripe_api
from billing.models import ExchangeRate, Invoice, Plan, PlanPrice
from billing.tests.flow import page_of, text_of
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

INVOICES = reverse("admin:billing_invoice_changelist")
PLANS = reverse("admin:billing_plan_changelist")
RATES = reverse("admin:billing_exchangerate_changelist")
ISSUED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    client.force_login(member)
    return member


def an_invoice(user, number="ADA-1", **fields):
    return Invoice.objects.create(
        **{
            "user": user,
            "stripe_invoice_id": f"in_{number}",
            "number": number,
            "status": "open",
            "currency": "JPY",
            "total_minor": 500,
            "issued_at": ISSUED,
        }
        | fields
    )


def test_an_invoice_is_found_by_its_number_its_ids_and_its_customers_email(client, boss, customer):
    found = an_invoice(customer, stripe_subscription_id="sub_1")
    an_invoice(Customer.objects.create(email="grace@example.com"), "GRACE-1")
    for text in ("ADA-1", "in_ADA-1", "sub_1", "ada@EXAMPLE.com"):
        page = text_of(client.get(INVOICES, {"q": text}))
        assert ("ADA-1" in page, "GRACE-1" in page) == (True, False), text
    jump = text_of(client.get(reverse("admin:jump"), {"q": "ADA-1"}))
    assert "¥500" in jump
    assert "¥500" in text_of(client.get(page_of(found)))
    assert "ADA-1" in text_of(client.get(reverse("admin:accounts_customer_change", args=[customer.pk])))


def test_the_list_asks_as_often_for_many_invoices_as_for_few(client, boss, customer):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            client.get(INVOICES)
        return len(queries)

    an_invoice(customer)
    client.get(INVOICES)
    few = asked()
    for number in range(30):
        an_invoice(Customer.objects.create(email=f"c{number}@example.com"), f"N-{number}")
    assert asked() == few


@pytest.mark.parametrize(
    ("address", "leads_there"),
    [
        ("https://invoice.stripe.com/i/1", True),
        ("https://evil.example/stripe.com", False),
        ("https://stripe.com.evil.example/", False),
        ("javascript:alert(1)//stripe.com", False),
    ],
)
def test_only_a_page_of_stripes_is_linked_from_an_invoice(client, boss, customer, address, leads_there):
    page = client.get(page_of(an_invoice(customer, hosted_url=address))).content.decode()
    assert (f'href="{address}"' in page) == leads_there


def plan_form(*prices, **fields):
    form = {"name": "Pro", "key": "pro", "monthly_credits": "1000", "position": "0", "is_active": "on", **fields}
    form |= {"prices-TOTAL_FORMS": len(prices), "prices-INITIAL_FORMS": 0}
    for number, price in enumerate(prices):
        form |= {f"prices-{number}-{name}": value for name, value in price.items()}
    return form


A_PRICE = {
    "stripe_price_id": "price_1",
    "price": "20.00",
    "currency": "USD",
    "interval": "month",
    "interval_count": "1",
    "is_active": "on",
}


def test_a_plan_is_kept_with_its_prices_and_an_audit_entry(client, boss):
    client.post(PLANS + "add/", plan_form(A_PRICE))
    plan = Plan.objects.get()
    assert (plan.monthly_credits, plan.trial_credits) == (1000, None)
    assert PlanPrice.objects.values_list("plan_id", "amount_minor").get() == (plan.pk, 2000)
    (entry,) = AuditEntry.objects.all()
    assert entry.new_values["prices"] == {"added": [str(PlanPrice.objects.get().pk)]}
    html = client.get(page_of(plan)).content.decode()
    assert 'value="20.00"' in html
    assert 'value="1000"' in html


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({"monthly_credits": "-1"}, {}),
        ({"monthly_credits": "1e3"}, {}),
        ({"trial_credits": "NaN"}, {}),
        ({"key": "two words"}, {}),
        ({"name": "a\x00b"}, {}),
        ({}, {"price": "0.001"}),
        ({}, {"currency": "usd"}),
        ({}, {"interval_count": "0"}),
        ({}, {"stripe_price_id": "a\x00b"}),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(client, boss, fields, price):
    response = client.post(PLANS + "add/", plan_form(A_PRICE | price, **fields))
    assert response.status_code == 200
    assert response.context["errors"]
    assert not Plan.objects.exists()


def test_a_rate_is_entered_once_for_a_day_and_never_of_one_currency(client, boss):
    form = {"date": "2026-03-01", "base": "EUR", "quote": "USD", "rate": "1.0834"}
    client.post(RATES + "add/", form)
    assert ExchangeRate.objects.get().rate == Decimal("1.0834")
    for wrong in ({}, {"base": "USD"}, {"rate": "0", "base": "GBP"}, {"rate": "1e2", "base": "GBP"}, {"base": "XXQ"}):
        assert client.post(RATES + "add/", form | wrong).context["errors"], wrong
    assert ExchangeRate.objects.count() == 1


def test_rates_come_from_a_file_that_is_shown_first(client, boss):
    ExchangeRate.objects.create(date=date(2026, 3, 1), base="EUR", quote="USD", rate=Decimal("1.08"))
    text = "date,base,quote,rate\n2026-03-01,EUR,USD,1.09\n2026-03-02,EUR,USD,1.1\n2026-02-30,EUR,USD,1\n"
    page = reverse("admin:billing_exchangerate_import")

    def handed(content):

        return client.post(page, {"file": SimpleUploadedFile("rates.csv", content.encode()), "reason": "March"})

    assert "no day of the calendar" in text_of(handed(text))
    shown = handed(text.replace("2026-02-30,EUR,USD,1\n", ""))
    assert (shown.context["new"], shown.context["changed"]) == (1, 1)
    client.post(page, {"preview": shown.context["preview"]})
    assert list(ExchangeRate.objects.order_by("date").values_list("rate", flat=True)) == [
        Decimal("1.09"),
        Decimal("1.1"),
    ]


@pytest.fixture
def methods_page(boss, customer):
    Customer.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    return reverse("admin:billing_payment_methods", args=[customer.pk])


def test_without_a_key_the_page_of_payment_methods_says_so(client, methods_page):
    assert "STRIPE_SECRET_KEY" in text_of(client.get(methods_page))


def test_payment_methods_are_what_stripe_says_now(client, methods_page, monkeypatch):
    card = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2020}
    told = [{"id": "pm_1", "type": "card", "card": card}, {"id": "pm_2", "type": "<b>odd</b>"}, {"id": 7}, None]
    monkeypatch.setattr(stripe_api, "payment_methods_of", lambda asked: told if asked == "cus_ada" else [])
    page = " ".join(text_of(client.get(methods_page)).split())
    assert "Visa •••• 4242 04/2020 Expired" in page
    assert "&lt;b&gt;odd" in page


def test_that_stripe_cannot_be_asked_is_told(client, methods_page, monkeypatch, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_1"

    def refuse():
        raise stripe.APIConnectionError("no way there")

    monkeypatch.setattr(stripe_api, "client", refuse)
    assert "no way there" in text_of(client.get(methods_page))


def test_payment_methods_are_for_those_who_may_read_them(client, methods_page):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "billing.view_invoice"]))
    assert client.get(methods_page).status_code == 403
