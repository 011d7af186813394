"""The pages on which super admins set what roles may do by themselves."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from jobs.models import RoleLimit
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db
ADD = reverse("admin:jobs_rolelimit_add")


@pytest.fixture
def role():
    return Group.objects.create(name="Night shift")


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    client.force_login(member)
    return member


def filled(role, **more):
    return {"group": role.pk, "verb": "credits.gift", "per_act": "100", "per_day": "", **more}


def test_a_limit_is_set_and_audited(client, boss, role):
    assert client.post(ADD, filled(role)).status_code == 302
    limit = RoleLimit.objects.get(group=role)
    assert (limit.per_act, limit.per_day) == (Decimal(100), None)
    [entry] = AuditEntry.objects.filter(action="record.add")
    assert (entry.actor_id, entry.new_values["verb"]) == (boss.pk, "credits.gift")


def test_a_limit_without_a_number_is_none(client, boss, role):
    page = client.post(ADD, filled(role, per_act="", per_day=""))
    assert "a limit without a number bounds nothing" in page.content.decode()
    assert not RoleLimit.objects.filter(group=role).exists()


def test_the_list_says_it_in_words(client, boss, role):
    told = client.post(ADD, filled(role), follow=True).content.decode()
    assert "“<a" in told and "Gift credits by Night shift" in told
    assert "no bound" in told


def test_the_page_of_a_limit_speaks_in_words_and_plain_amounts(client, boss, role):
    limit = RoleLimit.objects.create(group=role, verb="credits.gift", per_act=Decimal("1250"), per_day=Decimal("0.5"))
    address = reverse("admin:jobs_rolelimit_change", args=[limit.pk])
    page = client.get(address).content.decode()
    assert "Gift credits by Night shift" in page and "credits.gift by" not in page
    assert 'value="1250"' in page and 'value="0.5"' in page
    client.post(address, filled(role, per_act="1250", per_day="0.75"))
    [entry] = AuditEntry.objects.filter(action="record.change")
    assert entry.new_values == {"per_day": "0.75"}


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e20", "0.00001", "ten", "100000000000000"])
def test_what_is_no_limit_is_refused_with_a_word(client, boss, role, amount):
    page = client.post(ADD, filled(role, per_act=amount))
    assert page.status_code == 200 and page.context["adminform"].form.errors
    assert not RoleLimit.objects.filter(group=role).exists()


def test_one_role_has_one_limit_for_an_act_and_no_limit_for_an_unknown_one(client, boss, role):
    client.post(ADD, filled(role))
    again = client.post(ADD, filled(role))
    assert "This role has a limit for that already" in again.content.decode()
    assert client.post(ADD, filled(role, verb="credits.steal")).context["adminform"].form.errors["verb"]
    assert RoleLimit.objects.filter(group=role).count() == 1


def test_who_is_no_super_admin_reads_limits_and_changes_none(client, role):
    limit = RoleLimit.objects.create(group=role, verb="credits.gift", per_act=1)
    client.force_login(StaffFactory(permissions=["jobs.view_rolelimit", "jobs.change_rolelimit", "jobs.add_rolelimit"]))
    change = reverse("admin:jobs_rolelimit_change", args=[limit.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, filled(role, per_act="1000000")).status_code == 403
    assert client.post(ADD, filled(role, verb="credits.refund")).status_code == 403
    assert client.post(reverse("admin:jobs_rolelimit_delete", args=[limit.pk]), {"post": "yes"}).status_code == 403
    limit.refresh_from_db()
    assert limit.per_act == 1


def test_limits_are_changed_only_under_a_fresh_proof(client, boss, role):
    with clock.at(clock.now() + timedelta(minutes=6)):
        response = client.post(ADD, filled(role))
    assert response.status_code == 302 and "/account/confirm/" in response["Location"]
    assert not RoleLimit.objects.filter(group=role).exists()


def test_the_list_takes_a_fixed_number_of_queries(client, boss, role, django_assert_num_queries):
    for verb in ("credits.gift", "credits.adjust", "credits.refund"):
        RoleLimit.objects.create(group=role, verb=verb, per_act=5)
    client.get(reverse("admin:jobs_rolelimit_changelist"))
    with django_assert_num_queries(4):
        client.get(reverse("admin:jobs_rolelimit_changelist"))
