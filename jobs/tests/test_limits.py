"""What a role may do by itself, in one act and in a day."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction

from backoffice.lib import clock
from jobs import selectors, services
from jobs.errors import LimitExceeded
from jobs.models import LimitUse, RoleLimit
from tests.factories import StaffFactory
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limited")]
VERB = "test.give"


def member(*limits, **fields):
    """Somebody with a role for each (per_act, per_day)."""
    staff = StaffFactory(**fields)
    for number, (per_act, per_day) in enumerate(limits):
        role = Group.objects.create(name=f"role {staff.pk} {number}")
        RoleLimit.objects.create(group=role, verb=VERB, per_act=per_act, per_day=per_day)
        staff.groups.add(role)
    return staff


def use(staff, amount, key, **more):
    with transaction.atomic():
        services.lock_staff(staff)
        services.count_use(staff=staff, verb=VERB, amount=Decimal(amount), key=key, **more)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], (None, None)),
        ([(10, 50)], (10, 50)),
        ([(10, 50), (20, 30)], (20, 50)),
        ([(10, 50), (None, 30)], (None, 50)),
        ([(10, None)], (10, None)),
    ],
)
def test_of_several_roles_the_largest_limit_counts(limits, expected):
    assert selectors.bounds_of(staff=member(*limits), verb=VERB) == selectors.Bounds(*expected)


def test_super_admins_have_no_limits_and_other_verbs_are_not_meant():
    assert selectors.bounds_of(staff=member((1, 1), is_superuser=True), verb=VERB) == selectors.Bounds(None, None)
    assert selectors.bounds_of(staff=member((1, 1)), verb="test.take") == selectors.Bounds(None, None)


@pytest.mark.parametrize(("amount", "is_refused"), [("99.9999", False), ("100", False), ("100.0001", True)])
def test_one_act_may_reach_its_limit_and_not_pass_it(amount, is_refused):
    staff = member((100, None))
    if not is_refused:
        use(staff, amount, "k")
        return
    with pytest.raises(LimitExceeded) as refused:
        use(staff, amount, "k")
    assert str(refused.value) == "Your limit for one act is 100 credits."
    assert not LimitUse.objects.exists()


def test_the_acts_of_a_day_add_up_and_a_replay_counts_once():
    staff = member((100, 150))
    use(staff, 100, "a")
    use(staff, 50, "b")
    with pytest.raises(LimitExceeded) as refused:
        use(staff, 1, "c")
    assert str(refused.value) == "Your limit for a day is 150 credits, of which 150 credits are used."
    assert (refused.value.is_daily, refused.value.limit) == (True, 150)
    assert selectors.used_today(staff=staff, verb=VERB) == 150


def test_a_sum_of_acts_is_held_to_the_largest_of_them_and_to_the_day():
    staff = member((10, 100))
    use(staff, 90, "bulk", largest=Decimal(10))
    with pytest.raises(LimitExceeded):
        use(staff, 20, "more", largest=Decimal(10))
    with pytest.raises(LimitExceeded):
        use(staff, 8, "large", largest=Decimal(11))


def test_the_day_is_that_of_the_company_and_begins_anew_at_its_midnight(settings):
    settings.REPORTING_TIME_ZONE = "Europe/Berlin"
    staff = member((None, 100))
    evening = datetime(2026, 10, 25, 23, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    with clock.at(evening):
        use(staff, 100, "evening")
        with pytest.raises(LimitExceeded):
            use(staff, 1, "too much")
    with clock.at(evening + timedelta(hours=1)):
        use(staff, 100, "next day")


def test_the_database_refuses_limits_that_are_none():
    role = Group.objects.create(name="role")
    for per_act in ("-1", "NaN"):
        with (
            pytest.raises(IntegrityError, match="rolelimit_act_bounds"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO jobs_rolelimit (group_id, verb, per_act, updated_at) VALUES (%s, %s, %s, now())",
                [role.pk, VERB, per_act],
            )


@pytest.mark.django_db(transaction=True)
def test_acts_at_once_never_use_more_than_the_day_allows():
    staff = member((10, 100))
    outcomes = at_once([lambda key=f"k{number}": use(staff, 10, key) for number in range(16)])
    assert sum(outcome is None for outcome in outcomes) == 10
    assert sum(isinstance(outcome, LimitExceeded) for outcome in outcomes) == 6
    assert selectors.used_today(staff=staff, verb=VERB) == 100
