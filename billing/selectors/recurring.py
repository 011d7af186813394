"""Monthly recurring revenue (MRR) of the whole, its movements, and who is subscribed to what.

Read from what each event of Stripe's changed (``SubscriptionChange``), so any moment of the past can be asked for; each
read goes over the changes up to then once, so a page that shows many moments keeps what it read. A customer is
everybody who was merged into one; each currency stands by itself. Staff and customers in demo mode never count. What
the words mean, and an example by hand, is in docs/metrics.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models

from backoffice.lib.periods import Period
from billing.models.statuses import EARNING, SubscriptionStatus

# Whose a change is, and that they count.
OWNED = """
SELECT change.*, coalesce(retired.into_id, change.user_id) AS customer_id
FROM billing_subscriptionchange AS change
JOIN accounts_user AS person ON person.id = change.user_id AND NOT person.is_staff AND NOT person.demo_mode
LEFT JOIN accounts_retiredcustomer AS retired ON retired.user_id = change.user_id
"""
# What each subscription was just before a moment.
STANDING = f"""
SELECT DISTINCT ON (subscription_id) * FROM ({OWNED} WHERE change.at < %(moment)s) AS owned
ORDER BY subscription_id, at DESC, rank DESC, id DESC
"""  # noqa: S608 (constants of ours)
MRR = f"""
SELECT currency, sum(mrr_minor_after) FROM ({STANDING}) AS standing
GROUP BY currency HAVING sum(mrr_minor_after) > 0 ORDER BY currency
"""  # noqa: S608 (constants of ours)
TIERS = f"""
SELECT plan.key, plan.name, standing.currency,
    count(*) FILTER (WHERE standing.status = ANY(%(earning)s)),
    count(*) FILTER (WHERE standing.status = %(trialing)s),
    sum(standing.mrr_minor_after)
FROM ({STANDING}) AS standing LEFT JOIN billing_plan AS plan ON plan.id = standing.plan_id
WHERE standing.status = ANY(%(earning)s) OR standing.status = %(trialing)s
GROUP BY plan.id, plan.key, plan.name, standing.currency ORDER BY plan.key NULLS LAST, standing.currency
"""  # noqa: S608 (constants of ours)
# The whole past of who moved in the period: whether somebody is new or back is told by what was before it. What several
# subscriptions of a customer do at one instant is one movement.
MOVEMENTS = f"""
WITH moving AS (
    SELECT DISTINCT customer_id FROM ({OWNED} WHERE change.at >= %(start)s AND change.at < %(end)s) AS owned
), family AS (
    SELECT customer_id, customer_id AS user_id FROM moving
    UNION ALL
    SELECT moving.customer_id, retired.user_id
    FROM moving JOIN accounts_retiredcustomer AS retired ON retired.into_id = moving.customer_id
), instants AS (
    SELECT family.customer_id, change.currency, change.at,
        sum(change.mrr_minor_after - change.mrr_minor_before) AS moved
    FROM family JOIN billing_subscriptionchange AS change ON change.user_id = family.user_id
    JOIN accounts_user AS person ON person.id = change.user_id AND NOT person.is_staff AND NOT person.demo_mode
    WHERE change.at < %(end)s
    GROUP BY 1, 2, 3
), sums AS (
    SELECT *, sum(moved) OVER (PARTITION BY customer_id, currency ORDER BY at) AS after FROM instants
), told AS (
    SELECT *, after - moved AS before,
        coalesce(max(after) OVER (
            PARTITION BY customer_id, currency ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS ever
    FROM sums
)
SELECT currency,
    CASE WHEN before = 0 AND ever = 0 THEN 'new' WHEN before = 0 THEN 'reactivation' WHEN after = 0 THEN 'churn'
        WHEN moved > 0 THEN 'expansion' ELSE 'contraction' END AS kind,
    sum(moved), count(DISTINCT customer_id)
FROM told WHERE moved <> 0 AND at >= %(start)s GROUP BY 1, 2
"""  # noqa: S608 (constants of ours)
# A customer of several plans is of the one that is worth most to us.
CHURN = f"""
WITH opening AS (
    SELECT DISTINCT ON (customer_id) customer_id, plan_id
    FROM ({STANDING.replace("moment", "start")}) AS standing WHERE mrr_minor_after > 0
    ORDER BY customer_id, mrr_minor_after DESC, subscription_id
), closing AS (
    SELECT DISTINCT customer_id FROM ({STANDING.replace("moment", "end")}) AS standing WHERE mrr_minor_after > 0
)
SELECT plan.key, plan.name, count(*), count(*) FILTER (WHERE closing.customer_id IS NULL)
FROM opening LEFT JOIN closing USING (customer_id) LEFT JOIN billing_plan AS plan ON plan.id = opening.plan_id
GROUP BY plan.id, plan.key, plan.name ORDER BY plan.key NULLS LAST
"""  # noqa: S608 (constants of ours)
# Each change in the period beside the one before it.
TURNS = f"""
WITH turning AS (
    SELECT DISTINCT subscription_id FROM ({OWNED} WHERE change.at >= %(start)s AND change.at < %(end)s) AS owned
), told AS (
    SELECT change.*, lag(change.plan_id) OVER own AS plan_before, lag(change.status) OVER own AS status_before,
        coalesce(bool_or(change.status = ANY(%(earning)s)) OVER (own ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
            false) AS has_earned
    FROM turning JOIN billing_subscriptionchange AS change USING (subscription_id)
    WHERE change.at < %(end)s
    WINDOW own AS (PARTITION BY change.subscription_id ORDER BY change.at, change.rank, change.id)
)
SELECT count(*) FILTER (WHERE status = ANY(%(earning)s) AND NOT has_earned),
    count(*) FILTER (WHERE status = %(canceled)s AND status_before IS DISTINCT FROM status AND has_earned),
    count(*) FILTER (WHERE is_other_plan AND mrr_minor_after > mrr_minor_before),
    count(*) FILTER (WHERE is_other_plan AND mrr_minor_after < mrr_minor_before)
FROM (
    SELECT *, mrr_minor_before > 0 AND mrr_minor_after > 0 AND plan_id <> plan_before AS is_other_plan
    FROM told WHERE at >= %(start)s
) AS turns
"""  # noqa: S608 (constants of ours)


class MovementKind(models.TextChoices):
    NEW = "new", "New"
    EXPANSION = "expansion", "Expansion"
    CONTRACTION = "contraction", "Contraction"
    CHURN = "churn", "Churn"
    REACTIVATION = "reactivation", "Reactivation"


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """How MRR of one currency went from ``opening_minor`` to ``closing_minor`` (minor units): what each kind moved.

    What is lost is below zero. ``customers`` are how many made movements of a kind.
    """

    currency: str
    opening_minor: int
    closing_minor: int
    moved_minor: Mapping[MovementKind, int]
    customers: Mapping[MovementKind, int]


@dataclass(frozen=True, kw_only=True)
class Tier:
    """Subscriptions of one plan in one currency; ``key`` is empty for those of no plan. MRR in minor units."""

    key: str
    name: str
    currency: str
    active: int
    on_trial: int
    mrr_minor: int


@dataclass(frozen=True, kw_only=True)
class TierChurn:
    """Of the customers with MRR at the opening, by plan: how many had none at the closing."""

    key: str
    name: str
    at_opening: int
    churned: int

    @property
    def rate(self) -> float:
        """The share that churned, from 0 to 1."""
        return self.churned / self.at_opening


@dataclass(frozen=True, kw_only=True)
class Turns:
    """How many subscriptions began to earn, ended, and went to another plan for more or for less."""

    new: int
    canceled: int
    upgrades: int
    downgrades: int


def mrr_at(moment: datetime) -> dict[str, int]:
    """MRR just before ``moment`` (aware), by currency, in minor units; a currency without any is left out."""
    return {currency: int(minor) for currency, minor in _read(MRR, moment=moment)}


def waterfalls(period: Period) -> list[Waterfall]:
    """MRR at both ends of ``period`` and the movements between, for each currency that has any, by code.

    New: from nothing, for the first time. Reactivation: from nothing, not for the first time. Churn: to nothing.
    Expansion and contraction: more and less. Opening and movements are the closing, always.
    """
    opening, closing = mrr_at(period.start), mrr_at(period.end)
    moved: dict[str, dict[MovementKind, int]] = {}
    customers: dict[str, dict[MovementKind, int]] = {}
    for currency, kind, minor, number in _read(MOVEMENTS, start=period.start, end=period.end):
        moved.setdefault(currency, {})[MovementKind(kind)] = int(minor)
        customers.setdefault(currency, {})[MovementKind(kind)] = number
    return [
        Waterfall(
            currency=currency,
            opening_minor=opening.get(currency, 0),
            closing_minor=closing.get(currency, 0),
            moved_minor={kind: moved.get(currency, {}).get(kind, 0) for kind in MovementKind},
            customers={kind: customers.get(currency, {}).get(kind, 0) for kind in MovementKind},
        )
        for currency in sorted({*opening, *closing, *moved})
    ]


def tiers_at(moment: datetime) -> list[Tier]:
    """Active subscriptions (active or past due) and trials just before ``moment``, by plan and currency."""
    found = _read(TIERS, moment=moment, earning=list(EARNING), trialing=SubscriptionStatus.TRIALING)
    return [
        Tier(key=key or "", name=name or "", currency=currency, active=active, on_trial=trials, mrr_minor=int(mrr))
        for key, name, currency, active, trials, mrr in found
    ]


def churn_by_tier(period: Period) -> list[TierChurn]:
    """Customers with MRR at the opening of ``period``, and those of them with none at its closing, in any currency."""
    found = _read(CHURN, start=period.start, end=period.end)
    return [
        TierChurn(key=key or "", name=name or "", at_opening=opening, churned=churned)
        for key, name, opening, churned in found
    ]


def turns(period: Period) -> Turns:
    """What became of subscriptions in ``period``. One that never earned is not counted when it ends."""
    parameters = {"earning": list(EARNING), "canceled": SubscriptionStatus.CANCELED}
    ((new, canceled, upgrades, downgrades),) = _read(TURNS, start=period.start, end=period.end, **parameters)
    return Turns(new=new, canceled=canceled, upgrades=upgrades, downgrades=downgrades)


def _read(query: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
