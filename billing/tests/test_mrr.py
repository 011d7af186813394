"""What a subscription is worth a month, case by case."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Interval, SubscriptionStatus
from billing.mrr import Discount, Rate, monthly, mrr

AT = datetime(2026, 3, 1, tzinfo=UTC)


def rate(amount="1000", quantity=1, interval=Interval.MONTH, count=1, **fields) -> Rate:
    return Rate(unit_amount=Decimal(amount), quantity=quantity, interval=interval, count=count, **fields)


def worth(*rates, discounts=(), status=SubscriptionStatus.ACTIVE, is_paused=False, currency="USD") -> int:
    return mrr(rates, discounts, status=status, is_paused=is_paused, currency=currency, at=AT)


def percent(off, **fields) -> Discount:
    return Discount(percent_off=Decimal(off), **fields)


def amount(off, currency="USD", **fields) -> Discount:
    return Discount(amount_off=Decimal(off), currency=currency, **fields)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (rate(), 1000),
        (rate(quantity=3), 3000),
        (rate(quantity=0), 0),
        (rate("12000", interval=Interval.YEAR), 1000),
        (rate("24000", interval=Interval.YEAR, count=2), 1000),
        (rate("3000", count=3), 1000),
        (rate("1200", interval=Interval.WEEK), 5200),
        (rate("1200", interval=Interval.WEEK, count=2), 2600),
        (rate("12", interval=Interval.DAY), 365),
        (rate("120", interval=Interval.DAY, count=30), 122),  # 121.67
        (rate("30", interval=Interval.YEAR), 2),  # 2.5 goes to the even one
        (rate("42", interval=Interval.YEAR), 4),  # so does 3.5
        (rate("0.5", quantity=5), 2),  # 2.5
        (rate("0.005", quantity=1000), 5),
        (rate("1000", quantity=25, pack_size=10), 3000),
        (rate("1000", quantity=25, pack_size=10, rounds_up=False), 2000),
        (rate(on_trial_until=AT + timedelta(seconds=1)), 0),
        (rate(on_trial_until=AT), 1000),
        (Rate(unit_amount=None, quantity=7, interval=Interval.MONTH), 0),
    ],
)
def test_an_item_counts_with_what_it_costs_a_month(item, expected):
    assert monthly(item, at=AT) == expected


def test_each_item_is_rounded_for_itself():
    # 2.5 and 2.5 are 2 and 2, not 5.
    assert worth(rate("30", interval=Interval.YEAR), rate("30", interval=Interval.YEAR)) == 4


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_only_what_is_active_or_past_due_earns(status):
    earns = status in ("active", "past_due")
    assert worth(rate(), status=status) == (1000 if earns else 0)


def test_what_pauses_earns_nothing():
    assert worth(rate(), is_paused=True) == 0


@pytest.mark.parametrize(
    ("discounts", "expected"),
    [
        ([percent("25")], 2250),
        ([percent("33.3")], 2001),
        ([percent("100")], 0),
        ([percent("150")], 0),
        ([amount("500")], 2500),
        ([amount("5000")], 0),
        ([amount("500", "EUR")], 3000),
        ([percent("50", is_once=True)], 3000),
        ([percent("50", ends=AT)], 3000),
        ([percent("50", ends=AT + timedelta(seconds=1))], 1500),
        # One after the other, each on what the one before left.
        ([percent("50"), amount("500")], 1000),
        ([amount("500"), percent("50")], 1250),
        ([percent("50", products=frozenset(["prod_a"]))], 2500),
        ([amount("5000", products=frozenset(["prod_a"]))], 2000),
        ([Discount()], 3000),
    ],
)
def test_recurring_discounts_are_taken_off(discounts, expected):
    assert worth(rate(product_id="prod_a"), rate("2000", product_id="prod_b"), discounts=discounts) == expected


def test_a_discount_of_an_item_comes_first_and_touches_no_other():
    halved = rate(discounts=(percent("50"),))
    assert worth(halved, rate()) == 1500
    assert worth(halved, rate(), discounts=[percent("10")]) == 1350
    assert worth(rate(discounts=(amount("700", is_once=True),)), rate()) == 2000


def test_an_amount_off_is_taken_from_each_invoice():
    assert worth(rate("24000", interval=Interval.YEAR), discounts=[amount("1200")]) == 1900
    assert worth(rate("1200", interval=Interval.WEEK), discounts=[amount("300")]) == 3900
    # Of two rhythms, there are as many invoices as the shorter one makes.
    assert worth(rate("12000", interval=Interval.YEAR), rate(), discounts=[amount("100")]) == 1900


@given(
    prices=st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 50), st.sampled_from(Interval)), max_size=5),
    percents=st.lists(st.integers(0, 100), max_size=3),
    amounts=st.lists(st.integers(0, 10**7), max_size=3),
)
def test_a_discount_never_makes_it_dearer_nor_worth_less_than_nothing(prices, percents, amounts):
    rates = [rate(each, quantity, interval) for each, quantity, interval in prices]
    taken = [*(percent(off) for off in percents), *(amount(off) for off in amounts)]
    assert 0 <= worth(*rates, discounts=taken) <= worth(*rates) == sum(monthly(each, at=AT) for each in rates)
