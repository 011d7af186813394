"""Whatever the order of delivery, a story of a subscription ends in the same rows and the same changes."""

from math import factorial

import pytest
from django.forms.models import model_to_dict

from accounts.models import User
from billing.models import EventState, Plan, StripeEvent, Subscription, SubscriptionChange, SubscriptionItem
from billing.tests.bodies.subscriptions import (
    MONTH,
    START,
    V2022,
    V2024,
    V2025,
    coupon,
    discount,
    discount_told,
    item,
    price,
    subscription,
    told,
)
from billing.tests.orders import orders

pytestmark = pytest.mark.django_db

PRO, TEAM = price(), price(5000, id="price_team", product="prod_team")


def sub(of=PRO, quantity=1, version=V2025, **fields):
    return subscription(item(of, quantity, id="si_1"), version=version, id="sub_1", **fields)


def upgraded_and_cancelled():
    """Begun and paid for in one second, upgraded, to end with its period, ended; told by endpoints of all versions."""
    begun, team = sub(status="incomplete", version=V2022), sub(TEAM, version=V2024)
    ends = {"cancel_at_period_end": True, "cancel_at": START + MONTH, "canceled_at": START + 900}
    return [
        told("created", begun, version=V2022),
        told("updated", sub(), previous={"status": "incomplete"}),
        told("updated", team, at=START + 600, version=V2024),
        told("updated", sub(TEAM) | ends, at=START + 900),
        told("deleted", team | {"status": "canceled", "ended_at": START + MONTH}, at=START + MONTH, version=V2024),
    ]


def converted_from_trial():
    """Tried, warned, paid for, discounted by an event of its own, and twice as much of it in the same second."""
    trial = {"trial_start": START, "trial_end": START + MONTH}
    of = discount(coupon(), V2024, id="di_1", subscription="sub_1")
    later = START + MONTH + 60
    one = sub(**trial, discounts=["di_1"])
    return [
        told("created", sub(status="trialing", **trial)),
        told("trial_will_end", sub(status="trialing", **trial), at=START + MONTH - 900),
        told("updated", sub(**trial), at=START + MONTH, previous={"status": "trialing"}),
        discount_told("created", of, at=later, version=V2024),
        told("updated", one, at=later),
    ]


STORIES = {
    "subscribe, upgrade, cancel": (
        upgraded_and_cancelled,
        ("canceled", "", 0),
        [
            ("incomplete", 0, 0),
            ("active", 0, 2000),
            ("active", 2000, 5000),
            ("active", 5000, 5000),
            ("canceled", 5000, 0),
        ],
    ),
    "trial, convert, discount": (
        converted_from_trial,
        ("active", "pro", 1500),
        [("trialing", 0, 0), ("trialing", 0, 0), ("active", 0, 2000), ("active", 2000, 1500), ("active", 1500, 1500)],
    ),
}


@pytest.fixture(autouse=True)
def _catalogue(customer):
    Plan.objects.create(key="pro", name="Pro", stripe_product_id="prod_pro")
    Plan.objects.create(key="team", name="Team", stripe_product_id="prod_team")


def outcome():
    """Every row that the events made, without what tells rows of one run from those of another."""
    (row,) = Subscription.objects.all()
    items = [model_to_dict(each, exclude=["id", "subscription"]) for each in SubscriptionItem.objects.all()]
    changes = SubscriptionChange.objects.values_list(
        "event__stripe_id", "at", "rank", "status", "plan__key", "mrr_minor_before", "mrr_minor_after"
    )
    states = set(StripeEvent.objects.values_list("state", flat=True))
    return model_to_dict(row, exclude=["id"]), (row.as_of, row.as_of_rank), items, list(changes), states


@pytest.mark.parametrize("story", STORIES)
def test_every_order_of_a_story_ends_alike(story, customer):
    events_of, state, expected = STORIES[story]
    events = events_of()
    ends = list(orders(events, lambda: (outcome(), plan_of(customer))))
    assert len(ends) == factorial(len(events))
    assert [found for found in ends if found != ends[0]] == []
    (row, _, _, changes, states), plan = ends[0]
    assert states == {EventState.PROCESSED}
    assert (row["status"], plan, row["mrr_minor"]) == state
    assert [(status, before, after) for _, _, _, status, _, before, after in changes] == expected


def plan_of(customer):
    return User.objects.values_list("plan", flat=True).get(pk=customer.pk)
