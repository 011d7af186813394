"""The page of a role: what it may do, in words; who has it; and what changed, in the log."""

import re

import pytest
from django.urls import reverse

from accounts import permission_names
from accounts.models import Role
from audit.models import AuditEntry
from jobs.models import RoleLimit
from tests.factories import StaffFactory, permission

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_role_changelist")
ADD = reverse("admin:accounts_role_add")


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    client.force_login(member)
    return member


@pytest.fixture
def painters():
    role = Role.objects.create(name="Painters")
    role.permissions.set([permission("credits", "gift_credits"), permission("accounts", "view_customer")])
    return role


def page_of(role):
    return reverse("admin:accounts_role_change", args=[role.pk])


def ids(*names):
    return [permission(*name.split(".")).pk for name in names]


def offered():
    return {choice.name: choice.label for area in permission_names.areas() for choice in area.choices}


def test_a_role_shows_what_bounds_it_and_saving_one_without_limits_says_so(client, boss, painters):
    page = client.get(page_of(painters)).content.decode()
    add = f"{reverse('admin:jobs_rolelimit_add')}?group={painters.pk}&amp;verb=credits.gift"
    assert "no limit" in page and f'href="{add}"' in page and "Refund usage: " not in page
    made = {"name": "Buyers", "permissions": ids("credits.gift_credits", "credits.refund_usage")}
    told = client.post(ADD, made, follow=True).content.decode()
    assert "Without any limit: Gift credits, Refund usage." in told
    RoleLimit.objects.create(group=painters, verb="credits.gift", per_act=100)
    page = client.get(page_of(painters)).content.decode()
    assert "100 credits in one act, any amount in a day" in page and "no limit" not in page
    renamed = {"name": "Painter", "permissions": ids("credits.gift_credits", "accounts.view_customer")}
    assert "Without any limit" not in client.post(page_of(painters), renamed, follow=True).content.decode()


def test_permissions_are_verbs_in_the_areas_of_the_sidebar():
    found = {area.label: [choice.label for choice in area.choices] for area in permission_names.areas()}
    assert list(found) == [label for label in permission_names.registry.SECTIONS if label in found]
    assert "See customers" in found["Customers"]
    assert "Gift credits" in found["Credits"]
    assert "See API keys" in found["Settings"]
    assert "Export the audit log" in found["Audit"]


def test_what_opens_nothing_is_not_offered():
    names = offered()
    for name in (
        "accounts.add_customer",  # Customers sign up in the product.
        "accounts.change_staffmember",  # Only super admins change these two.
        "accounts.change_role",
        "credits.change_credittransaction",  # Evidence.
        "audit.delete_auditentry",
        "auth.add_permission",
        "sessions.view_session",
        "contenttypes.view_contenttype",
    ):
        assert name not in names
    for name in ("accounts.view_activityevent", "accounts.view_staffmember", "billing.change_creditpack"):
        assert name in names


def test_every_permission_of_a_default_role_can_be_chosen():
    given = {permission_names.name_of(each) for role in Role.objects.all() for each in role.permissions.all()}
    assert given <= set(offered())


def test_what_a_role_has_is_checked_and_kept_even_if_it_opens_nothing(client, boss, painters):
    odd = permission("credits", "change_credittransaction")
    painters.permissions.add(odd)
    boxes = re.findall(
        r'<input type="checkbox"[^>]*?value="(\d+)"[^>]*?checked', client.get(page_of(painters)).content.decode()
    )
    assert set(map(int, boxes)) == {odd.pk, *ids("credits.gift_credits", "accounts.view_customer")}


def test_a_change_is_told_and_audited_by_what_came_and_what_went(client, boss, painters):
    kept = ids("accounts.view_customer", "credits.refund_usage")
    response = client.post(page_of(painters), {"name": "Painters", "permissions": kept}, follow=True)
    text = response.content.decode()
    assert "Added: credits.refund_usage." in text
    assert "Removed: credits.gift_credits." in text
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.resource_type) == ("record.change", boss, "auth.group")
    assert (entry.old_values, entry.new_values) == (
        {},
        {"added": ["credits.refund_usage"], "removed": ["credits.gift_credits"]},
    )


def test_a_new_role_tells_the_log_what_it_may_do(client, boss):
    assert client.post(ADD, {"name": "Painters", "permissions": ids("credits.gift_credits")}).status_code == 302
    assert AuditEntry.objects.get().new_values == {"name": "Painters", "added": ["credits.gift_credits"]}


def test_a_role_that_is_renamed_says_nothing_of_permissions(client, boss, painters):
    kept = ids("accounts.view_customer", "credits.gift_credits")
    client.post(page_of(painters), {"name": "Artists", "permissions": kept})
    assert AuditEntry.objects.get().new_values == {"name": "Artists"}


def test_the_page_says_who_has_the_role_and_leads_there(client, boss, painters):
    assert "Nobody yet." in client.get(page_of(painters)).content.decode()
    member = StaffFactory()
    member.groups.add(painters)
    html = client.get(page_of(painters)).content.decode()
    assert f'href="{reverse("admin:accounts_staffmember_change", args=[member.pk])}">{member.email}</a>' in html


def test_the_log_keeps_what_a_deleted_role_allowed_and_who_had_it(client, boss, painters):
    members = StaffFactory.create_batch(2)
    for member in members:
        member.groups.add(painters)
    pk = painters.pk
    client.post(reverse("admin:accounts_role_delete", args=[pk]), {"post": "yes"})
    assert not Role.objects.filter(pk=pk).exists()
    assert AuditEntry.objects.get(action="record.delete").old_values == {
        "id": pk,
        "name": "Painters",
        "permissions": ["accounts.view_customer", "credits.gift_credits"],
        "members": [member.pk for member in members],
    }


def test_the_list_counts_members_and_permissions_in_a_fixed_number_of_queries(
    client, boss, painters, django_assert_num_queries
):
    for member in StaffFactory.create_batch(3):
        member.groups.add(painters)
    client.get(LIST)
    with django_assert_num_queries(4):
        html = client.get(LIST).content.decode()
    row = re.search(r"Painters</a>.*?</tr>", html, re.S)[0]
    assert re.findall(r'class="figure">(\d+)<', row) == ["3", "2"]
    for number in range(10):
        StaffFactory().groups.add(Role.objects.create(name=f"Role {number}"))
    with django_assert_num_queries(4):
        client.get(LIST)


def test_only_super_admins_change_a_role(client, painters):
    client.force_login(StaffFactory(permissions=["accounts.view_role", "accounts.change_role"]))
    assert client.get(page_of(painters)).status_code == 200
    assert client.post(page_of(painters), {"name": "x", "permissions": []}).status_code == 403
    assert painters.permissions.count() == 2
