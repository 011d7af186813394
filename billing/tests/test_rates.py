"""What currencies were worth: the latest rate that somebody entered, whichever way round."""

from datetime import date
from decimal import Decimal

import pytest

from billing import selectors
from billing.models import ExchangeRate

pytestmark = pytest.mark.django_db

MAY, JUNE, JULY = (date(2026, month, 1) for month in (5, 6, 7))


def entered(on, base, quote, worth):
    ExchangeRate.objects.create(date=on, base=base, quote=quote, rate=Decimal(worth))


def test_the_latest_rate_that_is_not_after_the_day_counts():
    entered(MAY, "EUR", "USD", "1.05")
    entered(JULY, "EUR", "USD", "1.20")
    assert selectors.rate("EUR", "USD", JUNE) == Decimal("1.05")
    assert selectors.rate("EUR", "USD", JULY) == Decimal("1.20")


def test_a_rate_that_stands_the_other_way_round_is_turned():
    entered(MAY, "USD", "EUR", "0.8")
    assert selectors.rate("EUR", "USD", JUNE) == Decimal("1.25")


@pytest.mark.parametrize(("turned_on", "worth"), [(JUNE, "1.25"), (MAY, "1.05")])
def test_the_newer_of_the_two_ways_counts_and_of_one_day_the_way_that_was_asked(turned_on, worth):
    entered(MAY, "EUR", "USD", "1.05")
    entered(turned_on, "USD", "EUR", "0.8")
    assert selectors.rate("EUR", "USD", JULY) == Decimal(worth)


def test_a_currency_is_worth_itself_and_what_nobody_entered_is_unknown():
    entered(JULY, "EUR", "USD", "1.05")
    entered(MAY, "GBP", "USD", "1.3")
    assert selectors.rate("USD", "USD", JUNE) == 1
    assert selectors.rate("EUR", "USD", JUNE) is None
    assert selectors.rate("EUR", "GBP", JULY) is None
