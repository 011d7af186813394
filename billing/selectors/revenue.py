"""Revenue: what came in, what went back, and what Stripe kept of it; for each currency by itself.

Each amount counts on the day of its own act: a payment when it succeeded, a refund when Stripe made it, a dispute when
it was lost, Stripe's fee with its payment, the fee of a dispute when that was opened. Staff and customers in demo mode
never count. What the words mean is told in docs/metrics.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.selectors import family_of
from backoffice.lib.periods import Period
from billing.models.statuses import GOING_BACK, PAID

# One row for each amount that moved. Postgres takes what is asked of `at` and `user_id` into every part.
MOVED = """
WITH moved AS (
    SELECT user_id, paid_at AS at, currency, 'gross_minor' AS what, amount_minor AS minor
    FROM billing_payment WHERE status = ANY(%(paid)s)
  UNION ALL
    SELECT payment.user_id, refund.refunded_at, payment.currency, 'refunds_minor', refund.amount_minor
    FROM billing_refund AS refund JOIN billing_payment AS payment ON payment.id = refund.payment_id
    WHERE refund.status = 'succeeded'
  UNION ALL
    -- What went back by the charge's own sum, and no refund tells of.
    SELECT user_id, charge_refunded_at, currency, 'refunds_minor', refunded_minor - coalesce((
        SELECT sum(refund.amount_minor) FROM billing_refund AS refund
        WHERE refund.payment_id = payment.id AND refund.status = ANY(%(going_back)s)
            AND refund.stripe_refund_id IS NOT NULL), 0)
    FROM billing_payment AS payment WHERE charge_refunded_minor > 0
  UNION ALL
    SELECT payment.user_id, dispute.closed_at, payment.currency, 'lost_disputes_minor', dispute.amount_minor
    FROM billing_dispute AS dispute JOIN billing_payment AS payment ON payment.id = dispute.payment_id
    WHERE dispute.status = 'lost'
  UNION ALL
    SELECT user_id, paid_at, settlement_currency, 'fees_minor', fee_minor
    FROM billing_payment WHERE status = ANY(%(paid)s) AND fee_minor IS NOT NULL
  UNION ALL
    SELECT payment.user_id, dispute.opened_at, dispute.fee_currency, 'fees_minor', dispute.fee_minor
    FROM billing_dispute AS dispute JOIN billing_payment AS payment ON payment.id = dispute.payment_id
    WHERE dispute.fee_minor IS NOT NULL
  UNION ALL
    SELECT user_id, paid_at, currency, 'unknown_fees', 1
    FROM billing_payment WHERE status = ANY(%(paid)s) AND fee_minor IS NULL
)
"""
BY_DAY = """
SELECT (moved.at AT TIME ZONE %(zone)s)::date, moved.currency, moved.what, sum(moved.minor), count(*)
FROM moved JOIN accounts_user AS person ON person.id = moved.user_id
WHERE moved.at >= %(start)s AND moved.at < %(end)s AND NOT person.is_staff AND NOT person.demo_mode
GROUP BY 1, 2, 3 ORDER BY 1, 2
"""
OF_CUSTOMER = """
SELECT NULL, currency, what, sum(minor), count(*) FROM moved WHERE user_id = ANY(%(family)s) GROUP BY 2, 3 ORDER BY 2
"""


@dataclass(frozen=True, kw_only=True)
class Revenue:
    """Amounts of one currency (ISO 4217 code) in its minor units.

    ``unknown_fees`` is of how many of the ``payments`` Stripe has not told the fee yet: so many are missing from
    ``fees_minor``, and the net is too high by them.
    """

    currency: str
    payments: int = 0
    gross_minor: int = 0
    refunds_minor: int = 0
    lost_disputes_minor: int = 0
    fees_minor: int = 0
    unknown_fees: int = 0

    @property
    def net_minor(self) -> int:
        """What is left: gross less refunds, lost disputes and fees."""
        return self.gross_minor - self.refunds_minor - self.lost_disputes_minor - self.fees_minor

    def __add__(self, other: "Revenue") -> "Revenue":
        summed = {name: getattr(self, name) + getattr(other, name) for name in AMOUNTS}
        return replace(self, **summed)


AMOUNTS = tuple(each.name for each in fields(Revenue) if each.name != "currency")


@dataclass(frozen=True)
class DayRevenue:
    """One day of reports, in one currency."""

    day: date
    revenue: Revenue


def revenue_by_day(period: Period) -> list[DayRevenue]:
    """Each day of ``period`` on which anything moved, by day and currency."""
    bounds = {"zone": settings.REPORTING_TIME_ZONE, "start": period.start, "end": period.end}
    return [DayRevenue(day, revenue) for day, revenue in _read(BY_DAY, bounds)]


def revenue(period: Period) -> list[Revenue]:
    """What moved in ``period``, in each currency, by code."""
    return total(each.revenue for each in revenue_by_day(period))


def lifetime_value(user_id: int) -> list[Revenue]:
    """What a customer, and whoever was merged into them, brought so far: in each currency, by code.

    It is the past, not a forecast. It may be below zero: a bank may take more than was paid, and fees are not given
    back.
    """
    return [revenue for _, revenue in _read(OF_CUSTOMER, {"family": list(family_of(user_id))})]


def total(revenues: Iterable[Revenue]) -> list[Revenue]:
    """Their sums, one for each currency, by code."""
    sums: dict[str, Revenue] = {}
    for each in revenues:
        sums[each.currency] = sums.get(each.currency, Revenue(currency=each.currency)) + each
    return [sums[currency] for currency in sorted(sums)]


def _read(query: str, parameters: Mapping[str, Any]) -> list[tuple[date, Revenue]]:
    found: defaultdict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(MOVED + query, {**parameters, "paid": list(PAID), "going_back": list(GOING_BACK)})
        for day, currency, what, minor, rows in cursor.fetchall():
            amounts = found[day, currency]
            amounts[what] = int(minor)
            if what == "gross_minor":
                amounts["payments"] = rows
    return [(day, Revenue(currency=currency, **amounts)) for (day, currency), amounts in found.items()]
