"""The roles that the product begins with: given once, and from then on the staff's."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS

from accounts.models import DefaultRole
from accounts.services import apply_default_roles
from audit.models import AuditEntry
from backoffice.default_roles import DEFAULT_ROLES
from tests import databases
from tests.factories import permission
from tests.threads import at_once

pytestmark = pytest.mark.django_db

GIFT, ADJUST = "credits.gift_credits", "credits.adjust_credits"


def migrate(defaults):
    apply_default_roles(defaults, using=DEFAULT_DB_ALIAS)


def may(name):
    granted = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {".".join(row) for row in granted}


def test_a_migrated_database_has_every_default_role_with_what_it_may_do():
    assert {name: may(name) for name in DEFAULT_ROLES} == {name: set(given) for name, given in DEFAULT_ROLES.items()}


def test_every_permission_of_a_default_role_exists():
    known = {".".join(row) for row in Permission.objects.values_list("content_type__app_label", "codename")}
    wanted = {name for given in DEFAULT_ROLES.values() for name in given}
    assert wanted <= known, f"no such permission: {sorted(wanted - known)}"


def test_no_permission_stands_twice_under_one_role():
    for name, given in DEFAULT_ROLES.items():
        assert len(given) == len(set(given)), name


def test_what_staff_took_away_from_a_role_and_what_they_added_stays_so():
    migrate({"Painters": [GIFT, ADJUST]})
    role = Group.objects.get(name="Painters")
    role.permissions.remove(permission("credits", "gift_credits"))
    role.permissions.add(permission("credits", "refund_usage"))
    migrate({"Painters": [GIFT, ADJUST]})
    assert may("Painters") == {ADJUST, "credits.refund_usage"}


def test_a_role_that_staff_deleted_stays_deleted():
    migrate({"Painters": [GIFT]})
    Group.objects.get(name="Painters").delete()
    migrate({"Painters": [GIFT, ADJUST]})
    assert not Group.objects.filter(name="Painters").exists()
    assert DefaultRole.objects.get(pk="Painters").group is None


def test_a_later_release_adds_what_is_new_once_and_tells_the_log():
    migrate({"Painters": [GIFT]})
    assert not AuditEntry.objects.exists()
    for _ in range(2):
        migrate({"Painters": [GIFT, ADJUST]})
    assert may("Painters") == {GIFT, ADJUST}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_label) == ("accounts.extend_default_role", "system")
    assert entry.new_values == {"added": [ADJUST]}


def test_a_role_that_was_renamed_is_still_the_same_role():
    migrate({"Painters": [GIFT]})
    Group.objects.filter(name="Painters").update(name="Artists")
    migrate({"Painters": [GIFT, ADJUST]})
    assert may("Artists") == {GIFT, ADJUST}
    assert not Group.objects.filter(name="Painters").exists()


def test_a_role_of_the_same_name_that_staff_made_before_is_left_alone():
    Group.objects.create(name="Painters")
    migrate({"Painters": [GIFT]})
    migrate({"Painters": [GIFT, ADJUST]})
    assert may("Painters") == set()


def test_a_permission_that_does_not_exist_yet_is_given_when_it_does():
    migrate({"Painters": [GIFT, "credits.paint_credits"]})
    made = Permission.objects.create(
        codename="paint_credits", name="Can paint", content_type=permission("credits", "gift_credits").content_type
    )
    migrate({"Painters": [GIFT, "credits.paint_credits"]})
    assert may("Painters") == {GIFT, f"credits.{made.codename}"}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_give_everything_once():
    defaults = {f"Painters {number}": [GIFT, ADJUST] for number in range(20)}
    assert at_once([lambda: migrate(defaults)] * 4) == [None] * 4
    assert DefaultRole.objects.filter(name__startswith="Painters").count() == 20
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_next_migrate_leaves_edited_and_deleted_roles_as_staff_left_them():
    Group.objects.get(name="Analyst").delete()
    Group.objects.get(name="Support").permissions.clear()
    databases.manage("migrate", settings.DATABASES["default"]["NAME"])
    assert not Group.objects.filter(name="Analyst").exists()
    assert may("Support") == set()


@pytest.mark.django_db(transaction=True)
def test_after_a_test_that_commits_the_default_roles_are_back():
    Group.objects.all().delete()
    databases.flush(settings.DATABASES["default"]["NAME"])
    assert {name: may(name) for name in DEFAULT_ROLES} == {name: set(given) for name, given in DEFAULT_ROLES.items()}
    assert Group.objects.create(name="Painters").pk > len(DEFAULT_ROLES)
