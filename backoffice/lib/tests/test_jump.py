"""Ctrl-K finds customers, payments, entries and pages, each by those who may see them."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import User
from backoffice.lib import registry
from backoffice.lib.registry import JumpHit, JumpProvider
from billing.models import Payment, StripeEvent
from billing.services.inbox import receive_event
from billing.services.processing import process_event
from billing.tests import stripe_bodies
from credits import services
from credits.kinds import TransactionKind
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

JUMP = reverse("admin:jump")
SEE_ALL = (
    "accounts.view_customer",
    "credits.view_credittransaction",
    "billing.view_payment",
    "billing.view_invoice",
    "billing.view_subscription",
    "billing.view_refund",
    "billing.view_dispute",
    "billing.view_stripeevent",
)


def sign_in(client, *permissions):
    client.force_login(StaffFactory(permissions=permissions))


def found(client, text):
    """The hits by group: label, then address."""
    groups = client.get(JUMP, {"q": text}).context["groups"]
    return {group.key: {hit.label: hit.url for hit in group.hits} for group in groups}


@pytest.fixture
def ada():
    return CustomerFactory(email="ada@example.com", full_name="Ada Byron", external_id="u_ada")


def page_of(customer):
    return reverse("admin:accounts_customer_change", args=[customer.pk])


@pytest.mark.parametrize("text", ["ada", "byron", "u_ada", "ada@example.com", "  BYRON  ada "])
def test_customers_are_found_as_in_their_list(client, ada, text):
    CustomerFactory(email="bob@example.com", full_name="Bob")
    sign_in(client, *SEE_ALL)
    assert found(client, text)["customers"] == {"ada@example.com": page_of(ada)}


def test_an_id_finds_that_customer(client, ada):
    sign_in(client, *SEE_ALL)
    assert found(client, str(ada.pk))["customers"] == {"ada@example.com": page_of(ada)}


def test_of_many_customers_a_few_are_shown(client):
    CustomerFactory.create_batch(20, full_name="Ada")
    sign_in(client, *SEE_ALL)
    assert len(found(client, "ada")["customers"]) == 6


def test_entries_are_found_by_number_and_by_reference(client, ada):
    entry = services.post(
        Posting(
            user_id=ada.pk, kind=TransactionKind.GIFT, amount=Decimal(5), idempotency_key="test:1", reference="order 77"
        )
    )
    sign_in(client, *SEE_ALL)
    expected = {"Gift +5 · ada@example.com": f"/admin/credits/credittransaction/{entry.transaction_id}/change/"}
    assert found(client, str(entry.transaction_id))["entries"] == expected
    assert found(client, "order 77")["entries"] == expected
    assert "entries" not in found(client, "order")
    assert "entries" not in found(client, "ada@example.com")


def test_payments_and_events_are_found_by_their_ids(client, ada):
    intent = stripe_bodies.payment_intent(metadata={"user_id": "u_ada", "credits": "10"}, amount=999)
    event = receive_event(body=stripe_bodies.encoded(stripe_bodies.intent_succeeded(intent)))
    process_event(event_id=event.pk)
    payment, event = Payment.objects.get(), StripeEvent.objects.get()
    sign_in(client, *SEE_ALL)
    expected = {"$9.99 · ada@example.com": f"/admin/billing/payment/{payment.pk}/change/"}
    for text in (payment.stripe_payment_id, str(payment.pk), payment.stripe_charge_id):
        assert not text or found(client, text)["payments"] == expected
    told = {f"{event.type} · processed": f"/admin/billing/stripeevent/{event.pk}/change/"}
    for text in (event.stripe_id, payment.stripe_payment_id):
        assert found(client, text)["events"] == told


@pytest.mark.parametrize(
    ("text", "label"),
    [("cust", "Customers"), ("LEDGER", "Ledger"), ("stripe ev", "Stripe events"), ("billing pay", "Payments")],
)
def test_pages_are_found_by_the_words_of_the_sidebar(client, text, label):
    client.force_login(StaffFactory(is_superuser=True))
    assert label in found(client, text)["pages"]


def test_what_can_be_added_is_found_by_who_may_add_it(client):
    client.force_login(StaffFactory(is_superuser=True))
    assert found(client, "new pack")["pages"] == {"Add credit pack": "/admin/billing/creditpack/add/"}
    assert client.get("/admin/billing/creditpack/add/").status_code == 200
    sign_in(client, "billing.view_creditpack")
    assert found(client, "new pack") == {}
    assert "Credit packs" in found(client, "packs")["pages"]


def test_every_page_that_is_offered_opens(client):
    client.force_login(StaffFactory(is_superuser=True))
    pages = found(client, "")["pages"]
    assert len(pages) == len(registry.navigation)
    for text in ("", "add"):
        for url in found(client, text)["pages"].values():
            assert client.get(url).status_code == 200, url


@pytest.mark.parametrize("permission", SEE_ALL)
def test_each_part_is_for_whoever_may_see_it(client, ada, permission, monkeypatch):
    asked = []
    providers = registry.Registry("jump providers")
    for entry in registry.jump_providers:
        providers.register(
            JumpProvider(
                key=entry.key,
                label=entry.label,
                permission=entry.permission,
                find=lambda text, entry=entry: asked.append(entry.permission) or [JumpHit(label="x", url="/x")],
            )
        )
    monkeypatch.setattr(registry, "jump_providers", providers)
    sign_in(client, permission)
    found(client, "ada")
    assert asked == [permission]
    assert {entry.permission for entry in providers} == set(SEE_ALL)


def test_customers_and_strangers_are_sent_to_log_in(client, ada):
    assert client.get(JUMP, {"q": "ada"})["Location"].startswith("/admin/login/")
    client.force_login(User.objects.get(pk=ada.pk))
    assert client.get(JUMP, {"q": "ada"})["Location"].startswith("/admin/login/")


def test_it_only_reads(client):
    sign_in(client, *SEE_ALL)
    assert client.post(JUMP, {"q": "ada"}).status_code == 405


def test_a_part_that_fails_says_so_and_the_others_are_there(client, ada, monkeypatch):
    providers = registry.Registry("jump providers")
    for entry in registry.jump_providers:
        providers.register(entry)
    providers.register(JumpProvider(key="bad", label="Bad", permission=SEE_ALL[0], find=lambda text: 1 / 0, order=1))
    monkeypatch.setattr(registry, "jump_providers", providers)
    sign_in(client, *SEE_ALL)
    for headers in ({}, {"X-Part": "jump"}):
        html = client.get(JUMP, {"q": "ada"}, headers=headers).content.decode()
        assert "ZeroDivisionError" in html and "ada@example.com" in html


@pytest.mark.parametrize("headers", [{}, {"X-Part": "jump"}])
@pytest.mark.parametrize("text", ["zzzz", "a" * 201, "%", "' OR 1=1", "<script>alert(1)</script>", "9" * 40, "ﷺ"])
def test_what_finds_nothing_says_what_can_be_found_and_escapes_what_was_typed(client, ada, text, headers):
    sign_in(client, "accounts.view_customer")
    response = client.get(JUMP, {"q": text}, headers=headers)
    html = response.content.decode()
    assert response.status_code == 200
    assert "Nothing is found for" in html
    assert "<script>alert" not in html


def test_hostile_names_are_escaped(client):
    CustomerFactory(email="eve@example.com", full_name='"><img src=x onerror=alert(1)>')
    sign_in(client, *SEE_ALL)
    for headers in ({}, {"X-Part": "jump"}):
        html = client.get(JUMP, {"q": "eve"}, headers=headers).content.decode()
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html


def test_the_part_is_a_listbox_and_nothing_of_the_page(client, ada):
    sign_in(client, *SEE_ALL)
    html = client.get(JUMP, {"q": "ada"}, headers={"X-Part": "jump"}).content.decode()
    assert "<html" not in html
    assert html.count('role="option"') == 1
    assert 'role="listbox"' in html


def test_a_search_takes_the_same_few_queries_however_many_there_are(client, django_assert_num_queries):
    sign_in(client, *SEE_ALL)
    CustomerFactory(full_name="Ada Byron")
    client.get(JUMP, {"q": "ada"}, headers={"X-Part": "jump"})
    # Fifteen of them are savepoints, which only the transaction of a test needs.
    with django_assert_num_queries(28):
        client.get(JUMP, {"q": "ada"}, headers={"X-Part": "jump"})
    CustomerFactory.create_batch(30, full_name="Ada Byron")
    with django_assert_num_queries(28):
        client.get(JUMP, {"q": "ada"}, headers={"X-Part": "jump"})
