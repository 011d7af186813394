"""Revenue of several currencies told in REPORTING_CURRENCY."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from backoffice.lib.money import exponent
from billing.selectors.rates import rates_to
from billing.selectors.revenue import DayRevenue, Revenue, total

CONVERTED = ("gross_minor", "refunds_minor", "lost_disputes_minor", "fees_minor")


@dataclass(frozen=True)
class Reported:
    """``revenue`` in REPORTING_CURRENCY, and what is not in it because nobody entered a rate for its day."""

    revenue: Revenue
    unconverted: list[Revenue]


def in_reporting_currency(days: Iterable[DayRevenue]) -> Reported:
    """Sum up days and currencies. Each amount counts by the rate of its day; the sum of each kind is rounded once.

    Half-even, to whole minor units. The rate of a day is the latest that is not after it.
    """
    days = list(days)
    quote = settings.REPORTING_CURRENCY
    sums = dict.fromkeys(CONVERTED, Decimal(0))
    counts = {"payments": 0, "unknown_fees": 0}
    unconverted = []
    last = max((each.day for each in days), default=None)
    rates = rates_to(quote, {each.revenue.currency for each in days}, until=last)
    for each in days:
        worth = rates.on(each.revenue.currency, each.day)
        if worth is None:
            unconverted.append(each.revenue)
            continue
        # From minor units to minor units: currencies have not the same number of decimals.
        factor = worth.scaleb(exponent(quote) - exponent(each.revenue.currency))
        for name in sums:
            sums[name] += getattr(each.revenue, name) * factor
        for name in counts:
            counts[name] += getattr(each.revenue, name)
    amounts = {name: round(amount) for name, amount in sums.items()}
    return Reported(Revenue(currency=quote, **amounts, **counts), total(unconverted))
