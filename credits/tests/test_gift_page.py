"""Gifting through the form: shown first, done once, audited."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from audit import services as audit
from audit.models import AuditEntry
from credits import selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditLot, CreditTransaction
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def giver(client):
    member = StaffFactory(permissions=["accounts.view_customer", "credits.gift_credits"])
    client.force_login(member)
    return member


@pytest.fixture
def customer():
    return CustomerFactory()


def address(customer):
    return reverse("admin:credits_gift", args=[customer.pk])


def filled(**more):
    return {"amount": "100", "reason": "Sorry for the outage", "last_day": "", "token": str(uuid.uuid4()), **more}


def post(user, kind, amount, key):
    posting = Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}")
    return services.post(posting).transaction_id


def shown(response):
    return {change.label: (plain(change.before), plain(change.after)) for change in response.context["changes"]}


def plain(side):
    return side if side is None else re.sub("<.*?>", "", str(side))


def text_of(response):
    return re.sub(r"<[^>]+>|\s+", " ", response.content.decode())


def test_the_effect_is_shown_and_nothing_is_done_before_it_is_confirmed(client, giver, customer):
    response = client.post(address(customer), filled())
    assert shown(response) == {"Balance": ("0", "100"), "Available": ("0", "100")}
    assert not CreditTransaction.objects.exists()


def test_the_effect_on_a_customer_in_debt_is_what_is_left_once_the_debt_is_paid(client, giver, customer):
    bought = post(customer, TransactionKind.PURCHASE, 50, "bought")
    post(customer, TransactionKind.USAGE, -40, "used")
    services.claw_back(
        transaction_id=bought, amount=Decimal(50), kind=TransactionKind.CHARGEBACK, idempotency_key="test:dispute"
    )
    response = client.post(address(customer), filled())
    assert shown(response) == {"Balance": ("-40", "60"), "Available": ("0", "60"), "Pays debt": (None, "40")}
    client.post(address(customer), filled(confirm="yes"))
    assert selectors.balance_of(customer.pk).balance == 60


def test_a_confirmed_gift_is_in_the_ledger_and_in_the_audit_log(client, giver, customer):
    response = client.post(address(customer), filled(confirm="yes"))
    assert response["Location"] == reverse("admin:accounts_customer_change", args=[customer.pk])
    entry = CreditTransaction.objects.get()
    assert (entry.kind, entry.amount, entry.actor_id, entry.description) == (
        "gift",
        100,
        giver.pk,
        "Sorry for the outage",
    )
    audited = AuditEntry.objects.get()
    assert (audited.action, audited.actor_id, audited.reason) == ("credits.gift", giver.pk, "Sorry for the outage")
    assert (audited.old_values["balance"], audited.new_values["balance"]) == ("0", "100")
    assert audited.resource_label == f"user {customer.pk}"


def test_confirming_twice_gives_once(client, giver, customer):
    form = filled(confirm="yes")
    client.post(address(customer), form)
    client.post(address(customer), form)
    assert CreditTransaction.objects.count() == AuditEntry.objects.count() == 1


def test_a_gift_may_lapse_when_its_last_day_ends(client, giver, customer):
    day = timezone.localdate() + timedelta(days=3)
    client.post(address(customer), filled(last_day=day.isoformat(), confirm="yes"))
    assert CreditLot.objects.get().expires_at.date() == day + timedelta(days=1)


@pytest.mark.parametrize("amount", ["", "0", "-1", "NaN", "1e5", "1_000", "１００", "0.00001", "9223372036854775808"])
def test_a_bad_amount_is_told_and_changes_nothing(client, giver, customer, amount):
    response = client.post(address(customer), filled(amount=amount, confirm="yes"))
    assert response.status_code == 200
    assert response.context["form"].errors["amount"]
    assert not CreditTransaction.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", ""), ("reason", "   "), ("reason", "x" * 501), ("reason", "a\x00b"), ("last_day", "2001-01-01"),
     ("last_day", "tomorrow"), ("last_day", "9999-12-31")],
)  # fmt: skip
def test_other_bad_input_is_told_and_changes_nothing(client, giver, customer, field, value):
    response = client.post(address(customer), filled(confirm="yes", **{field: value}))
    assert response.context["form"].errors[field]
    assert not CreditTransaction.objects.exists()


@pytest.mark.parametrize("token", ["", "x", "0" * 36, "<script>"])
def test_a_forged_token_shows_the_form_anew(client, giver, customer, token):
    response = client.post(address(customer), filled(token=token, confirm="yes"))
    assert response.status_code == 200
    assert not CreditTransaction.objects.exists()


def test_a_demo_customer_is_refused_in_words(client, giver):
    response = client.post(address(CustomerFactory(demo_mode=True)), filled(confirm="yes"))
    assert "demo customer" in text_of(response)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_the_permission_the_form_is_forbidden(client, customer, method):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "credits.view_credittransaction"]))
    assert getattr(client, method)(address(customer), filled(confirm="yes")).status_code == 403
    assert not CreditTransaction.objects.exists()


def test_staff_and_strangers_get_no_gift(client, giver):
    assert client.post(address(giver), filled(confirm="yes")).status_code == 404
    assert client.post(reverse("admin:credits_gift", args=[10**12]), filled(confirm="yes")).status_code == 404


def test_when_the_audit_log_cannot_be_written_no_credits_are_given(client, giver, customer, monkeypatch):
    def broken(**_):
        raise RuntimeError("the audit log is away")

    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(RuntimeError):
        client.post(address(customer), filled(confirm="yes"))
    assert selectors.balance_of(customer.pk).balance == Decimal(0)
    assert not CreditTransaction.objects.exists()
