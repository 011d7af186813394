"""The ledger on the customer page, narrowed by kind and day, as a file, with the buttons that undo."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from backoffice.lib import clock
from credits import services
from credits.admin import ledger_panel
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def customer(client):
    client.force_login(StaffFactory(is_superuser=True))
    customer = CustomerFactory()
    for day, amount in [(0, 100), (1, -30), (2, -20)]:
        with clock.at(FIRST + timedelta(days=day)):
            kind = TransactionKind.GIFT if amount > 0 else TransactionKind.USAGE
            services.post(
                Posting(user_id=customer.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{day}")
            )
    return customer


def panel(client, customer, **query):
    page = client.get(reverse("admin:accounts_customer_change", args=[customer.pk]), query)
    [found] = [panel for panel in page.context["panels_main"] if panel.key == "ledger"]
    assert not found.error
    return found.html


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ({}, ["-20", "-30", "+100"]),
        ({"ledger-kind": "usage"}, ["-20", "-30"]),
        ({"ledger-first": "2026-03-02"}, ["-20", "-30"]),
        ({"ledger-last": "2026-03-02"}, ["-30", "+100"]),
        ({"ledger-kind": "usage", "ledger-first": "2026-03-02", "ledger-last": "2026-03-02"}, ["-30"]),
        ({"ledger-kind": "purchase"}, []),
    ],
)
def test_the_panel_is_narrowed_by_kind_and_day(client, customer, query, amounts):
    html = panel(client, customer, **query)
    shown = [amount for amount in ("-20", "-30", "+100") if f">{amount}<" in html]
    assert shown == amounts
    assert ("No entry is of this kind" in html) == (amounts == [])


def test_what_was_undone_says_so_and_undoing_leads_back_here(client, customer):
    first, second = CreditTransaction.objects.filter(account=customer.pk, kind="usage").order_by("pk")
    page = reverse("admin:accounts_customer_change", args=[customer.pk])
    form = reverse("admin:credits_refund", args=[first.pk]) + "?back=customer"
    assert f'href="{form}"' in panel(client, customer)
    filled = {"amount": "", "reason": "It failed", "token": str(uuid.uuid4()), "confirm": "yes"}
    assert client.post(form, filled)["Location"] == page
    filled |= {"amount": "5", "token": str(uuid.uuid4())}
    entry = reverse("admin:credits_credittransaction_change", args=[second.pk])
    assert client.post(reverse("admin:credits_refund", args=[second.pk]), filled)["Location"] == entry
    html = panel(client, customer)
    assert ">Refunded<" in html and ">Refunded 5 of 20<" in html
    assert form not in html


@pytest.mark.parametrize(
    "query",
    [{"ledger-kind": "x"}, {"ledger-first": "soon"}, {"ledger-last": "99999-1-1"}, {"ledger-first": "0001-01-01"}],
)
def test_what_cannot_be_read_narrows_nothing_or_breaks_nothing(client, customer, query):
    assert "+100" in panel(client, customer, **query)


def test_the_file_and_the_rest_are_narrowed_alike(client, customer, monkeypatch):
    monkeypatch.setattr(ledger_panel, "SHOWN_ENTRIES", 1)
    html = panel(client, customer, **{"ledger-kind": "usage", "ledger-first": "2026-03-02"})
    query = f"account__exact={customer.pk}&amp;kind__exact=usage&amp;created_at_from=2026-03-02"
    assert html.count(query) == 2
    export = reverse("admin:credits_credittransaction_export", args=["transactions"])
    lines = b"".join(client.post(f"{export}?{query.replace('&amp;', '&')}").streaming_content).decode().splitlines()
    assert [line.split(",")[3] for line in lines[1:]] == ["-30", "-20"]


def test_the_file_needs_the_permission_to_export(client, customer):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "credits.view_credittransaction"]))
    assert "CSV" not in panel(client, customer)


def test_usage_has_a_refund_button_and_a_gift_a_reverse_button(client, customer):
    html = panel(client, customer)
    assert (html.count('aria-label="Refund entry'), html.count('aria-label="Reverse entry')) == (2, 1)
