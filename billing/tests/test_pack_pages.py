"""Packs: kept by staff, each change audited, the impossible refused in words."""

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from billing.models import CreditPack
from billing.tests.flow import page_of, text_of
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

PACKS = reverse("admin:billing_creditpack_changelist")


@pytest.fixture
def keeper(client):
    verbs = ("view", "add", "change", "delete")
    member = StaffFactory(permissions=[f"billing.{verb}_creditpack" for verb in verbs])
    client.force_login(member)
    return member


def pack_form(**more):
    return {
        "name": "Small",
        "credits": "100",
        "price": "10.00",
        "currency": "USD",
        "stripe_price_id": "price_1",
        "is_active": "on",
        "position": "0",
        **more,
    }


def test_a_pack_is_added_changed_and_deleted_with_an_audit_entry_each(client, keeper):
    client.post(PACKS + "add/", pack_form())
    pack = CreditPack.objects.get()
    assert (pack.credits, pack.price_minor, pack.currency, pack.stripe_price_id) == (100, 1000, "USD", "price_1")
    assert "$10.00" in text_of(client.get(PACKS))
    client.post(page_of(pack), pack_form(price="12.5"))
    pack.refresh_from_db()
    assert pack.price_minor == 1250
    client.post(reverse("admin:billing_creditpack_delete", args=[pack.pk]), {"post": "yes"})
    assert not CreditPack.objects.exists()
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in entries] == ["record.add", "record.change", "record.delete"]
    assert (entries[1].old_values, entries[1].new_values) == ({"price": "10.00"}, {"price": "12.5"})


def test_saving_a_pack_as_it_is_audits_nothing(client, keeper):
    client.post(PACKS + "add/", pack_form())
    client.post(page_of(CreditPack.objects.get()), pack_form())
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("field", ["price", "credits"])
@pytest.mark.parametrize(
    "value",
    [
        "1E+999999",
        "1e2",
        "1_0",
        "１０",
        "٣",
        "1,000",
        "+1",
        ".5",
        "5.",
        "Infinity",
        "0x10",
        "1" * 19,
        "1.0000000000" + "0" * 5000,
        "1\n",
    ],
)
def test_numbers_are_read_in_plain_digits_alone(client, keeper, field, value):
    response = client.post(PACKS + "add/", pack_form(**{field: value}))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert not CreditPack.objects.exists()


@pytest.mark.parametrize(("price", "currency", "minor"), [("500", "JPY", 500), ("1.250", "KWD", 1250), ("0", "USD", 0)])
def test_a_price_is_kept_in_minor_units(client, keeper, price, currency, minor):
    client.post(PACKS + "add/", pack_form(price=price, currency=currency))
    assert CreditPack.objects.get().price_minor == minor


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("credits", "0"),
        ("credits", "-1"),
        ("credits", "NaN"),
        ("credits", "0.00001"),
        ("credits", "9" * 30),
        ("credits", "1000000001"),
        ("price", "-1"),
        ("price", "NaN"),
        ("price", "0.001"),
        ("price", "9" * 30),
        ("price", "1e40"),
        ("price", ""),
        ("currency", "usd"),
        ("currency", "XXQ"),
        ("currency", ""),
        ("name", ""),
        ("name", "a\x00b"),
        ("position", "-1"),
        ("stripe_price_id", "x" * 300),
    ],
)
def test_a_pack_that_cannot_be_is_refused_in_words(client, keeper, field, value):
    response = client.post(PACKS + "add/", pack_form(**{field: value}))
    assert response.status_code == 200
    assert response.context["errors"]
    assert not CreditPack.objects.exists()


def test_a_stripe_price_belongs_to_one_pack_and_may_be_left_out(client, keeper):
    for name in ("A", "B"):
        client.post(PACKS + "add/", pack_form(name=name, stripe_price_id=""))
    assert CreditPack.objects.filter(stripe_price_id=None).count() == 2
    client.post(PACKS + "add/", pack_form())
    assert client.post(PACKS + "add/", pack_form()).context["errors"]
    assert CreditPack.objects.count() == 3
