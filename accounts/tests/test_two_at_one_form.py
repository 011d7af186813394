"""Two people who have the page of the same record open."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AuditEntry
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


def opened(client, address):
    """The form as the browser would send it back, its hidden fields included."""
    form = client.get(address).context["adminform"].form
    sent = {}
    for field in form:
        for name, widget, value in (
            (field.html_name, field.field.widget, field.value()),
            (field.html_initial_name, field.field.hidden_widget(), field.value()),
        ):
            shown = widget.format_value(value)
            sent[name] = "" if shown is None else shown
    return sent


@pytest.fixture
def customer(client):
    client.force_login(StaffFactory(is_superuser=True))
    return CustomerFactory(full_name="Owen Campbell", country="US")


@pytest.fixture
def page(customer):
    return reverse("admin:accounts_customer_change", args=[customer.pk])


def test_the_page_holds_what_it_showed(client, customer, page):
    assert '<input type="hidden" name="initial-full_name" value="Owen Campbell"' in client.get(page).content.decode()


def test_no_page_of_a_member_holds_the_hash_of_their_password(client, customer):
    member = StaffFactory(is_superuser=True)
    member.set_password("correct horse battery staple")
    member.save()
    page = client.get(reverse("admin:accounts_staffmember_change", args=[member.pk])).content.decode()
    assert 'name="initial-email"' in page
    assert "initial-password" not in page and member.password not in page and "sha256" not in page


def test_what_a_colleague_changed_meanwhile_stays(client, customer, page):
    mine = opened(client, page)
    User.objects.filter(pk=customer.pk).update(full_name="Owen C.")
    assert client.post(page, mine | {"country": "FR"}).status_code == 302
    customer.refresh_from_db()
    assert (customer.full_name, customer.country) == ("Owen C.", "FR")
    entry = AuditEntry.objects.get(action="record.change")
    assert (entry.old_values, entry.new_values) == ({"country": "US"}, {"country": "FR"})


def test_what_both_changed_is_refused_once_and_the_next_save_is_meant(client, customer, page):
    mine = opened(client, page) | {"full_name": "Owen D."}
    User.objects.filter(pk=customer.pk).update(full_name="Owen C.")
    refused = client.post(page, mine)
    assert "it is “Owen C.” now" in refused.content.decode()
    customer.refresh_from_db()
    assert customer.full_name == "Owen C."
    again = refused.context["adminform"].form.data
    assert client.post(page, again).status_code == 302
    customer.refresh_from_db()
    assert customer.full_name == "Owen D."


def test_two_who_change_it_to_the_same_are_at_one(client, customer, page):
    mine = opened(client, page) | {"country": "FR"}
    User.objects.filter(pk=customer.pk).update(country="FR")
    assert client.post(page, mine).status_code == 302


def test_a_permission_that_was_taken_meanwhile_does_not_come_back_with_another_change(client, customer):
    role = Group.objects.create(name="Night shift")
    role.permissions.set(Permission.objects.filter(codename__in=["view_customer", "gift_credits"]))
    address = reverse("admin:accounts_role_change", args=[role.pk])
    mine = opened(client, address)
    role.permissions.remove(Permission.objects.get(codename="gift_credits"))
    assert client.post(address, mine | {"name": "Day shift"}).status_code == 302
    role.refresh_from_db()
    assert role.name == "Day shift"
    assert [permission.codename for permission in role.permissions.all()] == ["view_customer"]


def test_roles_that_both_changed_are_named(client, customer):
    support, billing = Role.objects.get(name="Support"), Role.objects.get(name="Billing admin")
    member = StaffFactory()
    member.groups.add(support.pk)
    address = reverse("admin:accounts_staffmember_change", args=[member.pk])
    mine = opened(client, address)
    member.groups.set([billing.pk])
    refused = client.post(address, mine | {"groups": []})
    assert "it is Billing admin now" in refused.content.decode()
    assert [group.name for group in member.groups.all()] == ["Billing admin"]
    again = refused.context["adminform"].form.data
    assert client.post(address, again).status_code == 302
    assert not member.groups.exists()
