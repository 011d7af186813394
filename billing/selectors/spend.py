"""What customers spent: their payments less refunds and disputes, told in REPORTING_CURRENCY.

Each payment counts by the rate of its day, the latest that is not after it; the sum is rounded once, half up, to whole
minor units. What has no rate stays out of the sum and is told by itself.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import connection

from backoffice.lib.money import ISO_DECIMALS, exponent
from billing.models.statuses import PAID

# By code; all others have two.
DECIMALS = json.dumps({code: decimals for decimals, codes in ISO_DECIMALS.items() for code in codes})

# One row for each paid payment: what is left of it in its own minor units, and how many minor units of the reporting
# currency one of them was worth; NULL without a rate. Two look-ups by the unique index: rates are entered either way.
WORTH = """
SELECT payment.user_id, payment.currency,
       greatest(payment.amount_minor - payment.refunded_minor - payment.disputed_minor, 0) AS kept,
       CASE WHEN payment.currency = %(currency)s THEN 1
            ELSE told.rate * 10::numeric ^ (%(exponent)s - coalesce(%(decimals)s::jsonb ->> payment.currency, '2')::int)
       END AS factor
FROM billing_payment AS payment
LEFT JOIN LATERAL (
    SELECT rate FROM (
        (SELECT date, rate, 1 AS preferred FROM billing_exchangerate
         WHERE base = payment.currency AND quote = %(currency)s
           AND date <= (payment.paid_at AT TIME ZONE %(zone)s)::date
         ORDER BY date DESC LIMIT 1)
        UNION ALL
        (SELECT date, 1 / rate, 0 FROM billing_exchangerate
         WHERE base = %(currency)s AND quote = payment.currency
           AND date <= (payment.paid_at AT TIME ZONE %(zone)s)::date
         ORDER BY date DESC LIMIT 1)
    ) AS entered
    ORDER BY date DESC, preferred DESC LIMIT 1
) AS told ON payment.currency <> %(currency)s
WHERE payment.status = ANY(%(paid)s)
"""
OF_USERS = WORTH + " AND payment.user_id = ANY(%(users)s)"
SPEND = f"SELECT coalesce(round(sum(kept * factor)), 0) FROM ({OF_USERS}) AS worth"  # noqa: S608 (made of constants)
UNCONVERTED = f"""
SELECT currency, sum(kept) FROM ({OF_USERS}) AS worth
WHERE factor IS NULL AND kept > 0 GROUP BY currency ORDER BY currency
"""  # noqa: S608 (made of constants)
# Payments stay where they were booked and count for whoever the customer was merged into.
WRONG = f"""
SELECT figures.user_id, figures.spend_minor, coalesce(spent.total, 0)::bigint AS total
FROM accounts_customerfigures AS figures
LEFT JOIN (SELECT coalesce(retired.into_id, worth.user_id) AS user_id, round(sum(kept * factor)) AS total
           FROM ({WORTH}) AS worth
           LEFT JOIN accounts_retiredcustomer AS retired ON retired.user_id = worth.user_id
           GROUP BY 1) AS spent USING (user_id)
WHERE figures.spend_minor <> coalesce(spent.total, 0)
"""  # noqa: S608 (made of constants)


def spend_parameters() -> Mapping[str, Any]:
    """What the queries of this module are asked with."""
    currency = settings.REPORTING_CURRENCY
    return {
        "currency": currency,
        "exponent": exponent(currency),
        "decimals": DECIMALS,
        "zone": settings.REPORTING_TIME_ZONE,
        "paid": [str(status) for status in PAID],
    }


def spend_of(user_ids: Collection[int]) -> int:
    """What these customers spent together, in minor units of REPORTING_CURRENCY."""
    ((spend,),) = _rows(SPEND, user_ids)
    return int(spend)


def spend_without_rate(user_ids: Collection[int]) -> list[tuple[str, int]]:
    """What ``spend_of`` leaves out for want of a rate: each currency with its sum in minor units, by code."""
    return [(currency, int(kept)) for currency, kept in _rows(UNCONVERTED, user_ids)]


def wrong_spends() -> list[int]:
    """Customers whose kept figure is not what the rates make of their payments now."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG, spend_parameters())
        return [user_id for user_id, *_ in cursor]


def _rows(query: str, users: Collection[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {**spend_parameters(), "users": list(users)})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
