"""Movements of MRR: whose they are, what they are called, and that they always add up."""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.services import merge_customers
from backoffice.lib import clock
from backoffice.lib.periods import Period
from billing import selectors
from billing.models import Plan, StripeEvent, Subscription, SubscriptionChange
from billing.selectors import MovementKind
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
_numbers = count(1)


def at(day):
    return START + day * DAY


def subscribed(customer, *worths, currency="USD", plan=None):
    """A subscription that is worth so many minor units a month from these days on: ``(day, minor)``."""
    subscription = Subscription.objects.create(
        user=customer,
        stripe_subscription_id=f"sub_{next(_numbers)}",
        status="active",
        currency=currency,
        started_at=START,
    )
    before = 0
    for day, minor in worths:
        event = StripeEvent.objects.create(
            stripe_id=f"evt_{next(_numbers)}",
            type="customer.subscription.updated",
            livemode=False,
            body=b"",
            next_attempt_at=START,
        )
        SubscriptionChange.objects.create(
            subscription=subscription,
            event=event,
            user=customer,
            currency=currency,
            at=at(day),
            rank=0,
            status="active" if minor else "canceled",
            plan=plan,
            mrr_minor_before=before,
            mrr_minor_after=minor,
        )
        before = minor
    return subscription


def moved(first, last, currency="USD"):
    """What moved between these days, without what did not."""
    (found,) = [each for each in selectors.waterfalls(Period(at(first), at(last))) if each.currency == currency]
    assert found.opening_minor + sum(found.moved_minor.values()) == found.closing_minor
    return {kind.value: minor for kind, minor in found.moved_minor.items() if minor}


@pytest.mark.parametrize(
    ("worths", "named"),
    [
        ([(11, 500)], {"new": 500}),
        ([(1, 500), (11, 700)], {"expansion": 200}),
        ([(1, 500), (11, 300)], {"contraction": -200}),
        ([(1, 500), (11, 0)], {"churn": -500}),
        ([(1, 500), (5, 0), (11, 400)], {"reactivation": 400}),
        # On trial before, which is no past.
        ([(1, 0), (11, 500)], {"new": 500}),
        ([(11, 500), (12, 0), (13, 400)], {"new": 500, "churn": -500, "reactivation": 400}),
        ([(1, 500), (11, 500)], {}),
    ],
)
def test_a_movement_is_named_by_what_was_there_before(customer, worths, named):
    subscribed(customer, *worths)
    assert moved(10, 20) == named


def test_what_happens_at_the_end_of_a_period_is_of_the_next_one(customer):
    subscribed(customer, (10, 500))
    assert moved(10, 20) == {"new": 500}
    assert selectors.waterfalls(Period(at(0), at(10))) == []


def test_a_change_of_plan_by_two_subscriptions_in_one_second_is_no_churn(customer):
    subscribed(customer, (1, 500), (11, 0))
    subscribed(customer, (11, 800))
    assert moved(10, 20) == {"expansion": 300}


def test_a_second_subscription_makes_a_customer_worth_more_and_its_end_less(customer):
    subscribed(customer, (1, 500))
    subscribed(customer, (11, 300), (15, 0))
    assert moved(10, 20) == {"expansion": 300, "contraction": -300}


def test_customers_who_were_merged_are_one(customer):
    other = CustomerFactory()
    subscribed(customer, (1, 500), (5, 0))
    subscribed(other, (11, 800))
    assert moved(10, 20) == {"new": 800}
    merge_customers(survivor_id=other.pk, merged_id=customer.pk, reason="same", actor=StaffFactory(is_superuser=True))
    assert moved(10, 20) == {"reactivation": 800}


def test_what_stays_on_the_row_that_was_merged_is_of_who_stays(customer):
    other = CustomerFactory()
    subscribed(customer, (1, 500))
    subscribed(other, (11, 800), (15, 0))
    merge_customers(survivor_id=customer.pk, merged_id=other.pk, reason="same", actor=StaffFactory(is_superuser=True))
    assert moved(10, 20) == {"expansion": 800, "contraction": -800}
    (tier,) = selectors.churn_by_tier(Period(at(12), at(20)))
    assert (tier.at_opening, tier.churned) == (1, 0)


def test_another_plan_is_an_upgrade_only_for_who_paid_before_and_pays_more(customer):
    small, large = (Plan.objects.create(key=key, name=key) for key in ("small", "large"))
    for before, after in ((0, 900), (100, 900), (100, 100), (900, 100), (900, 0)):
        subscription = subscribed(customer, (1, before), (11, after), plan=small)
        SubscriptionChange.objects.filter(subscription=subscription, at=at(11)).update(plan=large)
    turns = selectors.turns(Period(at(10), at(20)))
    assert (turns.upgrades, turns.downgrades) == (1, 1)


def test_each_currency_moves_by_itself(customer):
    subscribed(customer, (1, 500), (11, 0))
    subscribed(customer, (11, 450), currency="EUR")
    assert (moved(10, 20), moved(10, 20, "EUR")) == ({"churn": -500}, {"new": 450})
    assert selectors.mrr_at(at(20)) == {"EUR": 450}


def test_customers_are_counted_once_for_each_kind(customer):
    subscribed(customer, (11, 500), (12, 600), (13, 700))
    subscribed(CustomerFactory(), (12, 100))
    (found,) = selectors.waterfalls(Period(at(10), at(20)))
    assert (found.customers[MovementKind.NEW], found.customers[MovementKind.EXPANSION]) == (2, 1)


def test_staff_and_customers_in_demo_mode_never_count():
    plan = Plan.objects.create(key="pro", name="Pro")
    for nobody in (StaffFactory(), CustomerFactory(demo_mode=True)):
        subscribed(nobody, (1, 500), (12, 0), plan=plan)
    period = Period(at(10), at(20))
    assert selectors.waterfalls(period) == []
    assert selectors.mrr_at(at(11)) == {}
    assert selectors.tiers_at(at(11)) == []
    assert selectors.churn_by_tier(period) == []
    assert selectors.turns(period) == selectors.Turns(new=0, canceled=0, upgrades=0, downgrades=0)


def test_who_has_several_plans_churns_only_with_the_last_and_is_of_the_one_that_is_worth_most(customer):
    small, large = (Plan.objects.create(key=key, name=key) for key in ("small", "large"))
    subscribed(customer, (1, 100), (15, 0), plan=small)
    subscribed(customer, (1, 900), (12, 0), plan=large)
    assert [(tier.key, tier.at_opening, tier.churned) for tier in selectors.churn_by_tier(Period(at(10), at(14)))] == [
        ("large", 1, 0)
    ]
    (tier,) = selectors.churn_by_tier(Period(at(10), at(20)))
    assert (tier.key, tier.at_opening, tier.churned, tier.rate) == ("large", 1, 1, 1.0)


def test_who_goes_on_in_another_currency_has_not_churned(customer):
    subscribed(customer, (1, 500), (11, 0))
    subscribed(customer, (12, 450), currency="EUR")
    (tier,) = selectors.churn_by_tier(Period(at(10), at(20)))
    assert (tier.at_opening, tier.churned) == (1, 0)


def test_of_no_plan_is_told_as_such(customer):
    subscribed(customer, (1, 500))
    (tier,) = selectors.tiers_at(at(2))
    assert (tier.key, tier.name, tier.active, tier.mrr_minor) == ("", "", 1, 500)
    (churn,) = selectors.churn_by_tier(Period(at(2), at(3)))
    assert (churn.key, churn.at_opening) == ("", 1)


# Days on which a subscription is worth so much, of so many customers and in so many currencies that they meet.
histories = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["USD", "EUR"]),
        st.dictionaries(st.integers(0, 30), st.sampled_from([0, 0, 500, 800, 1200]), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=6,
)
cuts = st.lists(st.integers(-1, 32), min_size=2, max_size=5, unique=True).map(sorted)


@settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories=histories, cuts=cuts)
def test_opening_and_movements_are_the_closing_for_every_period_and_each_begins_where_the_last_one_ended(
    histories, cuts
):
    with transaction.atomic():
        customers = CustomerFactory.create_batch(3)
        for whose, currency, worths in histories:
            subscribed(customers[whose], *sorted(worths.items()), currency=currency)
        parts = [selectors.waterfalls(Period(at(first), at(last))) for first, last in pairwise(cuts)]
        (whole,) = [selectors.waterfalls(Period(at(cuts[0]), at(cuts[-1])))]
        transaction.set_rollback(True)
    for each in (*whole, *(one for part in parts for one in part)):
        assert each.opening_minor + sum(each.moved_minor.values()) == each.closing_minor
        assert min(each.opening_minor, each.closing_minor) >= 0
    for currency in ("USD", "EUR"):
        chain = [one for part in parts for one in part if one.currency == currency]
        ends = [one for one in whole if one.currency == currency]
        for one in ends:
            for kind in MovementKind:
                assert sum(part.moved_minor[kind] for part in chain) == one.moved_minor[kind]


def test_the_last_change_of_a_second_is_what_stands(customer):
    subscription = subscribed(customer, (1, 500), (1, 800))
    SubscriptionChange.objects.filter(subscription=subscription, mrr_minor_after=800).update(rank=1)
    assert selectors.mrr_at(at(2)) == {"USD": 800}


def test_a_period_needs_an_order_and_a_time_zone():
    with pytest.raises(ValueError, match="ends after"):
        Period(START, START)
    with pytest.raises(ValueError, match="aware"):
        Period(START, clock.now().replace(tzinfo=None))
