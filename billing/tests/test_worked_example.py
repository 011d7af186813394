"""The worked example of docs/metrics.md: what is told there goes in as events, and each number comes out."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import pytest
from django.conf import settings

from backoffice.lib.money import major_units
from backoffice.lib.periods import month
from billing import selectors
from billing.models import EventState, Plan, PlanPrice, StripeEvent, Subscription, SubscriptionChange
from billing.selectors import MovementKind
from billing.tests.bodies.subscriptions import V2024, VERSIONS, coupon, discount, item, price, subscription, told
from billing.tests.orders import tell
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

TEXT = (Path(settings.BASE_DIR) / "docs" / "metrics.md").read_text()


def table(heading):
    """The rows of the table below this heading, each by the names in its head."""
    (below,) = re.findall(rf"^### {re.escape(heading)}\n(.*?)(?=^#|\Z)", TEXT, re.M | re.S)
    lines = [line.strip("|").split("|") for line in below.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def seconds(day):
    return int(datetime.fromisoformat(f"{day}T12:00+00:00").timestamp())


def month_of(row):
    year, number = row["Month"].split("-")
    return month(int(year), int(number))


def in_words(minor, currency):
    return f"{major_units(minor, currency):.2f}"


@pytest.fixture
def prices():
    made = {}
    for row in table("Prices"):
        plan, _ = Plan.objects.get_or_create(key=row["Plan"].lower(), defaults={"name": row["Plan"]})
        amount, currency = int(Decimal(row["Amount"]) * 100), row["Currency"]
        PlanPrice.objects.create(
            plan=plan,
            stripe_price_id=f"price_{row['Price']}",
            amount_minor=amount,
            currency=currency,
            interval=row["Interval"],
        )
        made[row["Price"]] = price(
            amount, id=f"price_{row['Price']}", product="", currency=currency.lower(), interval=row["Interval"]
        )
    return made


def body_of(row, prices, version, is_first):
    status, _, paused = row["Status"].partition(", ")
    percent, _, until = row["Discount"].partition(" until ")
    if percent:
        version = V2024
        of = coupon(percent_off=float(percent), duration="repeating", duration_in_months=3)
        discounts = [discount(of, version, end=seconds(until))]
    at = seconds(row["When"])
    name = row["Customer"].lower()
    of = prices[row["Price"]]
    subject = subscription(
        item(of, int(row["Quantity"]), id=f"si_{row['Subscription']}"),
        version=version,
        id=f"sub_{row['Subscription']}",
        status=status,
        customer=f"cus_{name}",
        currency=of["currency"],
        metadata={"user_id": f"u_{name}"},
        discounts=discounts if percent else [],
        pause_collection={"behavior": "void", "resumes_at": None} if paused else None,
        ended_at=at if status == "canceled" else None,
        canceled_at=at if status == "canceled" else None,
    )
    verb = "created" if is_first else "deleted" if status == "canceled" else "updated"
    return told(verb, subject, at=at, version=version)


@pytest.fixture
def half_a_year(prices):
    """Everything that Stripe told, the last first."""
    rows, seen = table("What Stripe tells"), set()
    for name in sorted({row["Customer"] for row in rows}):
        CustomerFactory(external_id=f"u_{name.lower()}", full_name=name)
    bodies = []
    for row, version in zip(rows, cycle(VERSIONS), strict=False):
        bodies.append(body_of(row, prices, version, row["Subscription"] not in seen))
        seen.add(row["Subscription"])
    for body in reversed(bodies):
        tell(body)
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert Subscription.objects.count() == 12
    return rows


def test_after_each_event_a_subscription_is_worth_what_the_example_says(half_a_year):
    changes = SubscriptionChange.objects.order_by("at", "pk").select_related("subscription")
    assert [
        (f"{each.at:%Y-%m-%d}", each.subscription.stripe_subscription_id, in_words(each.mrr_minor_after, each.currency))
        for each in changes
    ] == [(row["When"], f"sub_{row['Subscription']}", row["MRR"]) for row in half_a_year]
    moved = [each.mrr_minor_after - each.mrr_minor_before for each in changes]
    by_hand = [Decimal(row["Movement"].rpartition(" ")[2] or 0) * 100 for row in half_a_year]
    # Ivo's second subscription begins at nothing, as his first one did.
    assert moved == by_hand


def test_month_by_month_mrr_moves_as_worked_out_by_hand(half_a_year):
    expected = table("MRR month by month")
    found = []
    for name in dict.fromkeys(row["Month"] for row in expected):
        for each in selectors.waterfalls(month_of({"Month": name})):
            moved = {kind.label: in_words(minor, each.currency) for kind, minor in each.moved_minor.items()}
            ends = {
                "Opening": in_words(each.opening_minor, each.currency),
                "Closing": in_words(each.closing_minor, each.currency),
            }
            found.append({"Month": name, "Currency": each.currency, **moved, **ends})
    assert found == expected


def test_each_movement_is_made_by_as_many_customers_as_the_example_tells_of(half_a_year):
    for row in table("MRR month by month"):
        (each,) = [one for one in selectors.waterfalls(month_of(row)) if one.currency == row["Currency"]]
        lines = [
            line["Movement"].partition(" ")[0]
            for line in half_a_year
            if line["When"].startswith(row["Month"])
            and ("eur" in line["Price"]) == (row["Currency"] == "EUR")
            and line["Movement"]
        ]
        assert {kind: number for kind, number in each.customers.items() if number} == {
            MovementKind(kind): lines.count(kind) for kind in set(lines)
        }


def test_at_the_end_so_many_are_subscribed_to_each_plan(half_a_year):
    tiers = selectors.tiers_at(datetime(2026, 7, 1, tzinfo=UTC))
    assert [
        {
            "Plan": tier.name,
            "Currency": tier.currency,
            "Active": str(tier.active),
            "On trial": str(tier.on_trial),
            "MRR": in_words(tier.mrr_minor, tier.currency),
        }
        for tier in tiers
    ] == table("Active subscriptions at the end of June")


def test_churn_by_tier_is_as_counted_by_hand(half_a_year):
    expected = table("Churn by tier")
    assert [
        {"Month": name, "Plan": tier.name, "At opening": str(tier.at_opening), "Churned": str(tier.churned)}
        for name in dict.fromkeys(row["Month"] for row in expected)
        for tier in selectors.churn_by_tier(month_of({"Month": name}))
    ] == expected


def test_so_many_began_ended_and_changed_plans(half_a_year):
    expected = table("Subscriptions that began, ended and changed plans")
    found = []
    for row in expected:
        turns = selectors.turns(month_of(row))
        numbers = (turns.new, turns.canceled, turns.upgrades, turns.downgrades)
        found.append(dict(zip(row, (row["Month"], *map(str, numbers)), strict=True)))
    assert found == expected
