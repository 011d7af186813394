"""Monthly allowances: granted once for each period, whatever happens to the plan in between."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Status
from backoffice.lib import clock
from credits import errors, selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditTransaction, IdempotencyRecord
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 15, 10, tzinfo=UTC)
FEBRUARY, MARCH = START.replace(month=2), START.replace(month=3)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user():
    return CustomerFactory()


def plan(user, amount, *, at=START, start=START, **more):
    with clock.at(at):
        return services.set_allowance(user_id=user.pk, amount=Decimal(amount), period_start=start, **more)


def sweep(at):
    with clock.at(at):
        services.expire_credits()
        return services.reset_allowances()


def spend(user, amount, key, *, at):
    with clock.at(at):
        services.charge_credits(user_id=user.pk, amount=Decimal(amount), idempotency_key=f"test:{key}")


def account(user):
    return CreditAccount.objects.get(user=user)


def grants(user):
    entries = CreditTransaction.objects.filter(account=user.pk, kind="allowance").order_by("seq")
    return list(entries.values_list("amount", flat=True))


def assert_proven():
    assert list(selectors.verify()) == []


def test_the_first_grant_begins_the_period_and_lapses_at_the_next_reset(user):
    plan(user, 100)
    stands = account(user)
    assert (stands.balance, stands.monthly_allowance, stands.next_reset_at) == (100, 100, FEBRUARY)
    assert stands.lots.get().expires_at == FEBRUARY
    assert (stands.period_started_at, stands.current_period_consumed) == (START, 0)
    assert IdempotencyRecord.objects.get().key == f"allowance:{user.pk}:{START.isoformat()}"
    assert_proven()


def test_the_same_plan_again_grants_nothing_more(user):
    plan(user, 100)
    assert plan(user, 100, at=START + DAY) == []
    assert grants(user) == [100]


def test_an_upgrade_grants_the_difference_each_time(user):
    for day, amount in enumerate([100, 150, 175]):
        plan(user, amount, at=START + day * DAY)
    assert grants(user) == [100, 50, 25]
    assert {lot.expires_at for lot in account(user).lots.all()} == {FEBRUARY}


def test_a_downgrade_takes_effect_with_the_next_period(user):
    plan(user, 100)
    plan(user, 50, at=START + DAY)
    assert account(user).balance == 100
    sweep(FEBRUARY)
    assert grants(user) == [100, 50]
    assert account(user).balance == 50
    assert_proven()


def test_down_and_up_again_within_a_period_grants_nothing_more(user):
    for day, amount in enumerate([100, 50, 100]):
        plan(user, amount, at=START + day * DAY)
    assert grants(user) == [100]
    plan(user, 120, at=START + 4 * DAY)
    assert grants(user) == [100, 20]


def test_an_upgrade_does_not_begin_consumption_anew(user):
    plan(user, 100)
    spend(user, 30, 1, at=START + DAY)
    plan(user, 150, at=START + 2 * DAY)
    assert account(user).current_period_consumed == 30
    assert_proven()


def test_zero_ends_it_and_leaves_what_was_granted(user):
    plan(user, 100)
    plan(user, 0, at=START + DAY)
    assert account(user).balance == 100
    assert account(user).next_reset_at is None
    assert sweep(FEBRUARY) == 0
    assert account(user).balance == 0


@pytest.mark.parametrize(("again", "granted"), [(100, [100]), (150, [100, 50]), (60, [100])])
def test_who_comes_back_in_the_same_period_gets_what_is_missing_of_it(user, again, granted):
    plan(user, 100)
    plan(user, 0, at=START + DAY)
    with clock.at(START + 2 * DAY):
        services.post(
            Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(9), idempotency_key="test:gift")
        )
    # In February, without a plan, consumption is counted by the calendar month.
    spend(user, 5, 1, at=datetime(2026, 2, 2, tzinfo=UTC))
    plan(user, again, at=datetime(2026, 2, 3, tzinfo=UTC))
    assert grants(user) == granted
    assert_proven()


def test_a_plan_from_the_first_of_a_month_is_not_taken_for_that_calendar_month(user):
    first = datetime(2026, 2, 1, tzinfo=UTC)
    with clock.at(first):
        services.post(
            Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(9), idempotency_key="test:gift")
        )
    spend(user, 5, 1, at=first + HOUR)
    plan(user, 100, at=first + 2 * HOUR, start=first)
    entry = CreditTransaction.objects.get(kind="allowance")
    assert entry.description == "Monthly allowance"
    assert IdempotencyRecord.objects.filter(key=f"allowance:{user.pk}:{first.isoformat()}").exists()


def test_each_reset_lets_the_old_lapse_and_counts_anew(user):
    plan(user, 100)
    spend(user, 30, 1, at=START + DAY)
    assert sweep(FEBRUARY) == 1
    stands = account(user)
    assert (stands.balance, stands.current_period_consumed, stands.lifetime_consumed) == (100, 0, 30)
    assert stands.next_reset_at == MARCH
    kinds = CreditTransaction.objects.order_by("seq").values_list("kind", "amount")
    assert list(kinds) == [("allowance", 100), ("usage", -30), ("expiry", -70), ("allowance", 100)]
    assert_proven()


def test_a_reset_comes_once_however_often_the_sweep_runs(user):
    plan(user, 100)
    assert [sweep(FEBRUARY + n * HOUR) for n in range(3)] == [1, 0, 0]


def test_before_its_time_nothing_is_reset(user):
    plan(user, 100)
    assert sweep(FEBRUARY - timedelta(microseconds=1)) == 0
    assert account(user).balance == 100


def test_who_missed_several_resets_gets_the_running_period_only(user):
    plan(user, 100)
    assert sweep(START.replace(month=5) + DAY) == 1
    stands = account(user)
    assert (stands.balance, stands.next_reset_at) == (100, START.replace(month=6))
    assert grants(user) == [100, 100]
    assert_proven()


def test_purchased_credits_roll_over(user):
    plan(user, 100)
    with clock.at(START + DAY):
        services.post(
            Posting(
                user_id=user.pk,
                kind=TransactionKind.PURCHASE,
                amount=Decimal(40),
                idempotency_key="test:buy",
                paid_minor=400,
                currency="USD",
            )
        )
    sweep(FEBRUARY)
    assert account(user).balance == 140
    spend(user, 110, 1, at=FEBRUARY + HOUR)
    sweep(MARCH)
    assert account(user).balance == 130
    assert_proven()


def test_a_subscription_waits_for_its_next_invoice(user):
    plan(user, 100, period_end=FEBRUARY, paid_until=FEBRUARY)
    assert sweep(FEBRUARY + DAY) == 0
    assert account(user).balance == 0
    plan(user, 100, at=FEBRUARY + 2 * DAY, start=FEBRUARY, period_end=MARCH, paid_until=MARCH)
    assert account(user).balance == 100
    assert grants(user) == [100, 100]
    assert_proven()


def test_a_paid_year_is_granted_month_by_month_and_not_beyond(user):
    plan(user, 100, period_end=FEBRUARY, paid_until=START.replace(year=2027))
    granted = sum(sweep(START + n * 7 * DAY) for n in range(1, 80))
    assert granted == 11
    assert len(grants(user)) == 12
    assert_proven()


def test_what_was_not_paid_for_is_not_granted_by_a_sweep_that_was_away(user):
    plan(user, 100, period_end=FEBRUARY, paid_until=MARCH)
    assert sweep(MARCH + 40 * DAY) == 0
    assert account(user).balance == 0
    # Nor is it looked at again, until somebody pays.
    assert selectors.allowances_due(now=MARCH + 41 * DAY, after=0, limit=10) == []


def test_a_period_that_was_paid_for_is_granted_late(user):
    plan(user, 100, period_end=FEBRUARY, paid_until=MARCH)
    assert sweep(FEBRUARY + 20 * DAY) == 1
    assert account(user).balance == 100


def test_the_end_that_a_subscription_names_counts(user):
    end = START + 7 * DAY
    plan(user, 100, period_end=end, paid_until=end)
    stands = account(user)
    assert (stands.next_reset_at, stands.lots.get().expires_at) == (end, end)


def test_an_end_that_falls_before_ours_asks_for_no_period_twice(user, settings, caplog):
    settings.REPORTING_TIME_ZONE = "America/New_York"
    october, november = datetime(2026, 10, 15, 10, tzinfo=UTC), datetime(2026, 11, 15, 10, tzinfo=UTC)
    # Summer time ends in between: our month is an hour longer than the subscription's.
    plan(user, 100, at=october, start=october, period_end=november, paid_until=october + 365 * DAY)
    assert sweep(november + timedelta(minutes=5)) == 0
    assert not caplog.records
    assert sweep(november + HOUR) == 1
    assert grants(user) == [100, 100]


def test_a_plan_that_begins_later_grants_when_it_begins(user):
    plan(user, 100, at=START - 3 * DAY)
    assert account(user).balance == 0
    assert sweep(START - HOUR) == 0
    assert sweep(START) == 1
    assert (account(user).balance, account(user).next_reset_at) == (100, FEBRUARY)
    assert plan(user, 100, at=START + DAY) == []


def test_an_invoice_for_a_period_that_is_over_grants_nothing(user):
    assert plan(user, 100, at=MARCH, period_end=FEBRUARY, paid_until=FEBRUARY) == []
    assert grants(user) == []


def test_a_period_that_ends_before_it_starts_is_refused(user):
    with pytest.raises(errors.InvalidExpiry):
        plan(user, 100, period_end=START)


@pytest.mark.parametrize("amount", ["-1", "0.00001", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(user, amount):
    with pytest.raises(errors.InvalidAmount):
        plan(user, amount)
    assert not CreditAccount.objects.filter(user=user, monthly_allowance__gt=0).exists()


@pytest.mark.parametrize("amount", [0, 100])
@pytest.mark.parametrize("at", [START, MARCH])
def test_nobody_and_staff_have_no_allowance(amount, at):
    for user_id in (StaffFactory().pk, 10**9):
        with clock.at(at), pytest.raises(errors.UnknownUser):
            services.set_allowance(user_id=user_id, amount=Decimal(amount), period_start=START, period_end=FEBRUARY)


def test_a_demo_customer_is_granted_nothing():
    demo = CustomerFactory(demo_mode=True)
    with pytest.raises(errors.DemoCustomer):
        plan(demo, 100)
    # Who becomes one later is passed over.
    other = CustomerFactory()
    plan(other, 100)
    CreditAccount.objects.filter(user=other).update(next_reset_at=FEBRUARY)
    type(other).objects.filter(pk=other.pk).update(demo_mode=True)
    assert sweep(FEBRUARY) == 0


def test_a_ban_stops_spending_and_not_the_plan(user):
    plan(user, 100)
    type(user).objects.filter(pk=user.pk).update(status=Status.BANNED)
    assert sweep(FEBRUARY) == 1
    with pytest.raises(errors.CustomerBanned):
        spend(user, 1, 1, at=FEBRUARY + HOUR)


def test_one_whose_grant_is_refused_holds_nobody_up_and_is_tried_again(user, monkeypatch, caplog):
    other = CustomerFactory()
    for person in (user, other):
        plan(person, 100)
    # As large a balance as the ledger can carry has no room for more.
    monkeypatch.setattr("credits.allocation.acts.MAX_BALANCE", Decimal(50))
    CreditAccount.objects.filter(user=other).update(monthly_allowance=40)
    assert sweep(FEBRUARY) == 1
    assert "allowance not granted" in caplog.text
    assert (account(user).next_reset_at, account(other).next_reset_at) == (FEBRUARY, MARCH)
    monkeypatch.undo()
    assert sweep(FEBRUARY + HOUR) == 1
    assert_proven()


def test_many_accounts_are_taken_in_turns(monkeypatch):
    users = CustomerFactory.create_batch(5)
    for person in users:
        plan(person, 100)
    monkeypatch.setattr("credits.services.sweeps.ACCOUNTS_AT_ONCE", 2)
    assert sweep(FEBRUARY) == 5
    assert sum(stands.balance for stands in CreditAccount.objects.all()) == 500


def test_consumption_is_counted_by_period_and_refunds_lower_it(user):
    plan(user, 100)
    spend(user, 30, 1, at=START + DAY)
    sweep(FEBRUARY)
    spend(user, 20, 2, at=FEBRUARY + HOUR)
    usage = CreditTransaction.objects.get(amount=-30)
    with clock.at(FEBRUARY + 2 * HOUR):
        services.refund_usage(transaction_id=usage.pk, amount=None, reason="failed", idempotency_key="test:back")
    assert account(user).current_period_consumed == -10
    assert_proven()


def test_without_a_plan_the_period_is_the_calendar_month(user):
    with clock.at(START):
        services.post(
            Posting(user_id=user.pk, kind=TransactionKind.GIFT, amount=Decimal(90), idempotency_key="test:gift")
        )
    spend(user, 30, 1, at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    spend(user, 20, 2, at=datetime(2026, 2, 1, tzinfo=UTC))
    assert account(user).current_period_consumed == 20
    assert_proven()
