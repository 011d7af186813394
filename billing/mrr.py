"""Monthly recurring revenue: what a subscription is worth a month. No I/O here.

Each item counts with what it costs in a month: its price x quantity, by year / 12, week x 52 / 12, day x 365 / 12, and
divided by how many of them one price is for; half-even to whole minor units, item by item. Then come the recurring
discounts, those of an item first and those of the whole afterwards, each on what the ones before it left; the sum of
what is left is rounded once more, half-even. Only what is active or past due counts. What is on trial, paused, unpaid
or not begun counts nothing, and so does what is billed by use or in tiers, since nobody knows it beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billing.models.statuses import EARNING, Interval

# How many of each interval make a month.
PER_MONTH = {
    Interval.DAY: Fraction(365, 12),
    Interval.WEEK: Fraction(52, 12),
    Interval.MONTH: Fraction(1),
    Interval.YEAR: Fraction(1, 12),
}


@dataclass(frozen=True, kw_only=True)
class Discount:
    """Either ``percent_off`` or ``amount_off``: minor units of ``currency`` from each invoice.

    ``products`` are those it is for, none for all. It counts until ``ends`` (UTC), and not at all if it is for one
    invoice only (``is_once``).
    """

    percent_off: Decimal | None = None
    amount_off: Decimal | None = None
    currency: str = ""
    ends: datetime | None = None
    is_once: bool = False
    products: frozenset[str] = frozenset()

    def recurs(self, at: datetime) -> bool:
        """Whether it is taken from invoices for more than one time, and still so at ``at``."""
        return not self.is_once and (self.ends is None or self.ends > at)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """``quantity`` times ``unit_amount`` minor units, every ``count`` intervals.

    ``unit_amount`` is None if the price does not say: by use or in tiers. ``pack_size`` units are sold together, the
    last pack whole (``rounds_up``) or not at all.
    """

    unit_amount: Decimal | None
    quantity: int
    interval: Interval
    count: int = 1
    pack_size: int = 1
    rounds_up: bool = True
    product_id: str = ""
    on_trial_until: datetime | None = None
    discounts: Sequence[Discount] = ()


def monthly(rate: Rate, *, at: datetime) -> int:
    """What one item costs a month before discounts, in minor units."""
    if rate.unit_amount is None or (rate.on_trial_until and rate.on_trial_until > at):
        return 0
    packs = -(-rate.quantity // rate.pack_size) if rate.rounds_up else rate.quantity // rate.pack_size
    return round(Fraction(rate.unit_amount) * packs * _months(rate))


def mrr(
    rates: Sequence[Rate], discounts: Sequence[Discount], *, status: str, is_paused: bool, currency: str, at: datetime
) -> int:
    """What a subscription is worth a month at ``at``, in minor units of ``currency``."""
    if status not in EARNING or is_paused:
        return 0
    left = [Fraction(monthly(rate, at=at)) for rate in rates]
    for index, rate in enumerate(rates):
        for discount in rate.discounts:
            _take(left, [index], rates, discount, currency, at)
    for discount in discounts:
        _take(left, range(len(rates)), rates, discount, currency, at)
    return round(sum(left, Fraction(0)))


def _months(rate: Rate) -> Fraction:
    return PER_MONTH[rate.interval] / rate.count


def _take(
    left: list[Fraction],
    indexes: Sequence[int],
    rates: Sequence[Rate],
    discount: Discount,
    currency: str,
    at: datetime,
) -> None:
    """Take a discount from what is ``left`` of the items at ``indexes``, of each in proportion."""
    touched = [i for i in indexes if not discount.products or rates[i].product_id in discount.products]
    base = sum((left[i] for i in touched), Fraction(0))
    if not base or not discount.recurs(at):
        return
    off = _worth(discount, base, [rates[i] for i in touched], currency)
    for i in touched:
        left[i] -= left[i] * off / base


def _worth(discount: Discount, base: Fraction, rates: Sequence[Rate], currency: str) -> Fraction:
    if discount.percent_off is not None:
        return min(base, base * Fraction(discount.percent_off) / 100)
    # Stripe takes an amount only from an invoice in its own currency.
    if discount.amount_off is None or discount.currency != currency:
        return Fraction(0)
    # It is taken from each invoice, and there are as many as the shortest of the intervals makes.
    return min(base, Fraction(discount.amount_off) * max(_months(rate) for rate in rates))
