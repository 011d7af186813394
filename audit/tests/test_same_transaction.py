"""No act of staff stands without its line in the log: what the stock pages and the exports do shares its fate."""

import pytest
from django.urls import reverse

from accounts.models import Role, StaffMember
from audit.models import AuditEntry
from billing.models import CreditPack
from tests.factories import CustomerFactory, StaffFactory

# The request's own transaction has to end for real.
pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    client.force_login(member)
    client.raise_request_exception = False
    return member


@pytest.fixture
def full_log(monkeypatch):
    def fail(**_):
        raise RuntimeError("the log is full")

    # Wherever a module took the name from.
    for module in ("audit.services", "audit.modeladmin", "audit.exporting", "audit.services.recording"):
        monkeypatch.setattr(f"{module}.record", fail)


def change_a_customer(client):
    customer = CustomerFactory(country="DE")
    form = {"email": customer.email, "full_name": "x", "country": "FR", "signup_source": "", "avatar": ""}

    def is_done():
        customer.refresh_from_db()
        return customer.country == "FR"

    return reverse("admin:accounts_customer_change", args=[customer.pk]), form, is_done


def add_a_pack(client):
    form = {"name": "Small", "credits": "10", "price": "1.00", "currency": "USD", "stripe_price_id": "price_1"}
    form |= {"is_active": "on", "position": "1"}
    return reverse("admin:billing_creditpack_add"), form, CreditPack.objects.exists


def delete_a_role(client):
    role = Role.objects.create(name="Painters")
    address = reverse("admin:accounts_role_delete", args=[role.pk])
    return address, {"post": "yes"}, lambda: not Role.objects.filter(pk=role.pk).exists()


def give_a_role(client):
    member, role = StaffFactory(), Role.objects.get(name="Support")
    form = {"email": member.email, "full_name": "", "status": "active", "status_reason": "", "groups": [role.pk]}
    return reverse("admin:accounts_staffmember_change", args=[member.pk]), form, member.groups.exists


def set_a_password(client):
    member = StaffFactory()
    form = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD, "set-password": "x"}
    address = reverse("admin:auth_user_password_change", args=[member.pk])
    return address, form, lambda: StaffMember.objects.get(pk=member.pk).check_password(PASSWORD)


CHANGES = [change_a_customer, add_a_pack, delete_a_role, give_a_role, set_a_password]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_one_line_with_who_did_it(client, boss, change):
    address, form, is_done = change(client)
    assert client.post(address, form).status_code == 302
    assert is_done()
    assert AuditEntry.objects.get().actor == boss


@pytest.mark.parametrize("change", CHANGES)
def test_when_the_log_cannot_be_written_the_change_is_undone(client, boss, full_log, change):
    address, form, is_done = change(client)
    assert client.post(address, form).status_code == 500
    assert not is_done()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_when_the_log_cannot_be_written_nothing_is_exported(client, boss, full_log, format_):
    response = client.post(reverse("admin:audit_auditentry_export", args=["audit"]), {"format": format_})
    assert response.status_code == 500
    assert not response.streaming
