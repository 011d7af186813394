"""Who may change who works here."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import Role, StaffMember, User
from accounts.services import passwords
from audit.models import AuditEntry
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import while_another_waits

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_staffmember_changelist")
ADD = reverse("admin:accounts_staffmember_add")
PASSWORD = "correct horse battery"


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    client.force_login(member)
    return member


def page_of(member):
    return reverse("admin:accounts_staffmember_change", args=[member.pk])


def test_a_super_admin_adds_a_member_who_can_log_in(client, boss):
    form = {"email": "new@example.com", "full_name": "New", "usable_password": "true"}
    response = client.post(ADD, {**form, "password1": PASSWORD, "password2": PASSWORD})
    member = StaffMember.objects.get(email="new@example.com")
    assert response.status_code == 302
    assert member.is_staff and not member.is_superuser
    assert client.login(email="NEW@example.com", password=PASSWORD)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("record.add", boss)
    assert PASSWORD not in str(entry.new_values)


def test_roles_are_given_and_audited(client, boss):
    member, role = StaffFactory(), Group.objects.create(name="support")
    form = {"email": member.email, "full_name": "", "status": "active", "status_reason": "", "groups": [role.pk]}
    assert client.post(page_of(member), form).status_code == 302
    assert list(member.groups.all()) == [role]
    assert AuditEntry.objects.get().new_values == {"groups": ["support"]}


@pytest.mark.parametrize("address", [ADD, "own page", "password", "roles"])
def test_nobody_but_a_super_admin_changes_rights(client, address):
    every = [
        "accounts.add_staffmember",
        "accounts.change_staffmember",
        "accounts.add_role",
        "accounts.view_staffmember",
    ]
    member = StaffFactory(permissions=every)
    client.force_login(member)
    path = {
        ADD: ADD,
        "own page": page_of(member),
        "password": reverse("admin:auth_user_password_change", args=[member.pk]),
        "roles": reverse("admin:accounts_role_add"),
    }[address]
    response = client.post(path, {"email": member.email, "is_superuser": "on", "name": "x", "status": "active"})
    assert response.status_code == 403
    member.refresh_from_db()
    assert not member.is_superuser


def test_a_customer_is_out_of_reach_of_the_staff_pages(client, boss):
    customer = CustomerFactory()
    assert client.get(page_of(customer)).status_code == 404
    assert customer.email not in client.get(LIST).content.decode()


def test_suspending_a_member_ends_the_session_at_once(client, boss):
    member = StaffFactory(permissions=["accounts.view_customer"])
    customers = reverse("admin:accounts_customer_changelist")
    client.force_login(member)
    assert client.get(customers).status_code == 200
    User.objects.filter(pk=member.pk).update(status="suspended")
    assert client.get(customers)["Location"].startswith(reverse("admin:login"))


def test_a_customer_with_a_password_cannot_log_in_to_the_admin(client):
    User.objects.create_user("ada@example.com", PASSWORD)
    response = client.post(reverse("admin:login"), {"username": "ada@example.com", "password": PASSWORD})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_the_session_id_changes_at_login(client):
    StaffFactory(email="s@example.com", is_superuser=True).set_password(PASSWORD)
    member = User.objects.get(email="s@example.com")
    member.set_password(PASSWORD)
    member.save()
    client.get(reverse("admin:login"))
    client.session["visited"] = True
    before = client.session.session_key
    client.post(reverse("admin:login"), {"username": "s@example.com", "password": PASSWORD})
    assert client.session.session_key != before


def test_whose_password_a_super_admin_sets_is_told_by_mail_once_it_is_set(client, boss, settings, monkeypatch):
    settings.EMAIL_URL = "smtp://mail"
    told = []
    monkeypatch.setattr("accounts.login.notices.nudge", lambda task, *args: told.append(args[:2]))
    member = StaffFactory()
    address = reverse("admin:auth_user_password_change", args=[member.pk])
    client.post(address, {"password1": PASSWORD, "password2": "another", "set-password": ""})
    assert told == []
    client.post(address, {"password1": PASSWORD, "password2": PASSWORD, "set-password": ""})
    assert told == [(member.pk, "the password was changed by a super admin")]


@pytest.mark.django_db(transaction=True)
def test_a_password_set_for_another_is_audited_and_ends_their_sessions(client, boss):
    member = StaffFactory()
    address = reverse("admin:auth_user_password_change", args=[member.pk])
    page = client.get(address).content.decode()
    assert "who is logged out everywhere by it" in page and "authentication" not in page
    form = {"password1": PASSWORD, "password2": PASSWORD, "set-password": ""}
    assert client.post(address, form).status_code == 302
    member.refresh_from_db()
    assert member.check_password(PASSWORD)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.new_values) == (boss, {"password": "(withheld)"})


@pytest.mark.parametrize("change", [{"is_superuser": ""}, {"status": "suspended", "status_reason": "bye"}])
def test_nobody_shuts_themselves_out(client, boss, change):
    form = {"email": boss.email, "full_name": "", "status": "active", "status_reason": "", "is_superuser": "on"}
    response = client.post(page_of(boss), form | change)
    assert "you would shut yourself out" in response.content.decode()
    boss.refresh_from_db()
    assert boss.is_superuser and boss.is_active


def test_a_suspension_needs_a_reason(client, boss):
    member = StaffFactory()
    form = {"email": member.email, "full_name": "", "status": "suspended", "status_reason": ""}
    assert "Say why." in client.post(page_of(member), form).content.decode()


def test_nobody_is_deleted(client, boss):
    member = StaffFactory()
    assert client.post(reverse("admin:accounts_staffmember_delete", args=[member.pk])).status_code == 403


def test_the_list_of_staff_takes_a_fixed_number_of_queries(client, boss, django_assert_num_queries):
    client.get(LIST)
    with django_assert_num_queries(5):
        client.get(LIST)
    for member in StaffFactory.create_batch(20):
        member.groups.add(Group.objects.get_or_create(name="support")[0])
    with django_assert_num_queries(5):
        client.get(LIST)


def test_the_page_of_a_member_leads_to_what_they_did(client, boss):
    log = reverse("admin:audit_auditentry_changelist")
    member = StaffFactory()
    assert f'href="{log}?staff={member.pk}"' in client.get(page_of(member)).content.decode()
    client.force_login(StaffFactory(permissions=["accounts.view_staffmember"]))
    assert log not in client.get(page_of(member)).content.decode()


def test_a_member_gets_roles_at_once_and_a_link_to_the_first_password(
    client, boss, settings, mailoutbox, monkeypatch, django_capture_on_commit_callbacks
):
    settings.EMAIL_URL = "locmem://"
    asked = []
    monkeypatch.setattr("accounts.admin.staff.nudge", lambda task, *args: asked.append((task, args)))
    role = Role.objects.get(name="Support")
    form = {"email": "new@example.com", "full_name": "New Member", "usable_password": "false", "groups": [role.pk]}
    page = client.post(ADD, form, follow=True).content.decode()
    assert "A link to choose a password is on its way to new@example.com." in page
    member = StaffMember.objects.get(email="new@example.com")
    assert (list(member.groups.values_list("name", flat=True)), member.is_superuser) == (["Support"], False)
    assert AuditEntry.objects.get().new_values["groups"] == ["Support"]
    [(task, args)] = asked
    task(*args)
    [mail] = mailoutbox
    assert mail.to == ["new@example.com"]
    client.logout()
    link = re.search(r"http://testserver(/\S+)", mail.body)[1]
    chosen = client.get(link, follow=True)
    choose = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post(chosen.request["PATH_INFO"], choose).status_code == 302
    member.refresh_from_db()
    assert member.check_password(PASSWORD)


def test_without_mail_a_password_is_set_at_once(client, boss, settings):
    settings.EMAIL_URL = ""
    form = {"email": "new@example.com", "full_name": "New", "usable_password": "false"}
    assert "set a password now" in client.post(ADD, form).content.decode()
    assert not StaffMember.objects.filter(email="new@example.com").exists()


def test_a_member_whose_first_link_has_lapsed_can_ask_for_another(client, boss, settings, monkeypatch):
    """Whoever let the first link lapse has a password that nobody knows, and so can ask for a new one."""
    settings.EMAIL_URL = "locmem://"
    monkeypatch.setattr("accounts.admin.staff.nudge", lambda task, *args: None)
    client.post(ADD, {"email": "new@example.com", "full_name": "New", "usable_password": "false"})
    assert passwords.ask_for_reset(email="new@example.com").email == "new@example.com"


@pytest.mark.django_db(transaction=True)
def test_of_two_super_admins_who_take_each_others_rights_at_one_moment_one_stays():
    ada, grace = StaffFactory(is_superuser=True), StaffFactory(is_superuser=True)

    def demote(reader, other):
        client = Client()
        client.force_login(reader)
        form = {"email": other.email, "full_name": "", "status": "active", "status_reason": "", "groups": []}
        return lambda: client.post(page_of(other), form).status_code

    assert while_another_waits(demote(ada, grace), demote(grace, ada)) == [302, 403]
    assert [member.pk for member in StaffMember.objects.filter(is_superuser=True)] == [ada.pk]
