"""A clock that is set back, and the days on which clocks are moved: the number of the entry orders, nothing is lost."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backoffice.lib import clock
from credits import selectors
from credits.models import CreditAccount, CreditTransaction
from credits.tests.faults.acts import CHARGES, assert_proven, general_charge, give, plain_charge
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def user_id():
    return CustomerFactory().pk


def written(user_id):
    entries = CreditTransaction.objects.filter(account=user_id).order_by("seq")
    return list(entries.values_list("created_at", flat=True))


@pytest.mark.parametrize("charge", CHARGES)
def test_with_the_clock_set_back_an_hour_entries_keep_their_order_and_the_total(user_id, charge):
    with clock.at(NOON):
        give(user_id, 100)
        charge(user_id, 10, 1)
    with clock.at(NOON - HOUR):
        assert charge(user_id, 10, 2).seq == 3
        assert charge(user_id, 10, 3).balance_after == 70
    with clock.at(NOON + HOUR):
        charge(user_id, 10, 4)
    times = written(user_id)
    assert times == sorted(times)
    assert times[1:] == [NOON, NOON, NOON, NOON + HOUR]
    assert selectors.balance_as_of(user_id=user_id, at=NOON) == 70
    assert CreditAccount.objects.get(pk=user_id).balance == 60
    assert_proven()


@pytest.mark.parametrize("charge", CHARGES)
def test_with_the_clock_set_back_over_the_end_of_a_month_the_period_goes_on(user_id, charge):
    midnight = datetime(2026, 7, 1, tzinfo=UTC)
    with clock.at(midnight):
        give(user_id, 100)
        charge(user_id, 10, 1)
    with clock.at(midnight - HOUR):
        charge(user_id, 10, 2)
    assert CreditAccount.objects.get(pk=user_id).current_period_consumed == 20
    assert_proven()


@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25)])  # noqa: DTZ001 (as clocks show it)
def test_on_the_days_that_clocks_are_moved_every_half_hour_counts_once(user_id, day):
    zone = ZoneInfo("Europe/Berlin")
    starts_at = day.replace(tzinfo=zone).astimezone(UTC)
    ends_at = (day + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
    with clock.at(starts_at - HOUR):
        give(user_id, 100)
    moment, number = starts_at, 0
    while moment < ends_at:
        with clock.at(moment.astimezone(zone)):
            [plain_charge, general_charge][number % 2](user_id, 1, number)
        moment, number = moment + HOUR / 2, number + 1
    # 23 or 25 hours, and no entry out of its place although a wall time came twice or never.
    assert number == (46 if day.month == 3 else 50)
    times = written(user_id)
    assert times == sorted(times)
    assert len(set(times)) == number + 1
    assert CreditAccount.objects.get(pk=user_id).balance == 100 - number
    assert_proven()
