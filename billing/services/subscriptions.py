"""Subscriptions as Stripe tells them: the row, its items, and the changes of what they are worth a month."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts import services as accounts
from accounts.selectors import survivor_id_of
from backoffice.lib import clock
from billing import selectors
from billing.models import Plan, Subscription, SubscriptionChange, SubscriptionItem
from billing.models.statuses import SUBSCRIPTION_OVER
from billing.mrr import monthly
from billing.readings.subscriptions import ItemTold, SubscriptionTold
from billing.services.customer_plans import follow_plan
from billing.subscription_story import Counted, Step

# Each change begins where the one before it ended.
CHAIN = """
UPDATE billing_subscriptionchange AS change SET mrr_minor_before = told.before, updated_at = %(now)s
FROM (SELECT id, coalesce(lag(mrr_minor_after) OVER (ORDER BY at, rank, id), 0) AS before
      FROM billing_subscriptionchange WHERE subscription_id = %(subscription)s) AS told
WHERE told.id = change.id AND change.mrr_minor_before <> told.before
"""
CHANGE_COLUMNS = ("user_id", "currency", "at", "rank", "status", "plan_id", "mrr_minor_after")


@dataclass(frozen=True)
class _Plans:
    by_price: Mapping[str, Plan]
    by_product: Mapping[str, Plan]

    def of(self, item: ItemTold) -> Plan | None:
        return self.by_price.get(item.price_id) or self.by_product.get(item.product_id)

    def first_of(self, told: SubscriptionTold) -> Plan | None:
        return next((plan for item in told.items if (plan := self.of(item))), None)


@transaction.atomic
def tell_subscription(*, user_id: int, stripe_customer_id: str, steps: Sequence[Step]) -> None:
    """Bring a subscription up to ``steps``: what its events tell from some moment on, the last one last.

    Told again, or of something that is known to be older, it changes nothing but the changes in their places. The plan
    beside the customer follows.
    """
    if not steps:
        return
    plans = _plans_of(steps)
    # People before what is theirs, as everybody does who locks both.
    accounts.lock_customers({user_id, survivor_id_of(user_id)})
    row = _tell_row(user_id, stripe_customer_id, steps[-1], plans)
    _tell_changes(row, steps, plans)
    follow_plan(user_id=row.user_id)


def _plans_of(steps: Iterable[Step]) -> _Plans:
    items = [item for step in steps for item in step.told.items]
    return _Plans(
        selectors.plans_of_prices({item.price_id for item in items} - {""}),
        selectors.plans_of_products({item.product_id for item in items} - {""}),
    )


def _tell_row(user_id: int, stripe_customer_id: str, step: Step, plans: _Plans) -> Subscription:
    told = step.told
    # Locked: a discount of the customer comes by another way than the events of the subscription.
    row = Subscription.objects.select_for_update(no_key=True).filter(stripe_subscription_id=told.id).first()
    columns = _columns(stripe_customer_id, step, plans)
    if row is None:
        row = Subscription.objects.create(user_id=user_id, stripe_subscription_id=told.id, **columns)
        _tell_items(row, step, plans)
    elif _is_news(row, step) and any(getattr(row, name) != value for name, value in columns.items()):
        for name, value in columns.items():
            setattr(row, name, value)
        row.updated_at = clock.now()
        row.save(update_fields=[*columns, "updated_at"])
        _tell_items(row, step, plans)
    return row


def _is_news(row: Subscription, step: Step) -> bool:
    was_over, is_over = (status in SUBSCRIPTION_OVER for status in (row.status, step.told.status))
    if was_over != is_over:
        return is_over
    return row.as_of is None or step.as_of >= (row.as_of, row.as_of_rank)


def _columns(stripe_customer_id: str, step: Step, plans: _Plans) -> dict[str, Any]:
    told, plan = step.told, plans.first_of(step.told)
    at, rank = step.as_of
    return {
        "stripe_customer_id": stripe_customer_id,
        "status": told.status,
        "plan_id": plan.pk if plan else None,
        "currency": told.currency,
        "mrr_minor": step.mrr_minor,
        "started_at": told.started_at,
        "current_period_start": told.period_start,
        "current_period_end": told.period_end,
        "trial_start": told.trial_start,
        "trial_end": told.trial_end,
        "cancel_at_period_end": told.cancel_at_period_end,
        "cancel_at": told.cancel_at,
        "canceled_at": told.canceled_at,
        "ended_at": (told.ended_at or told.canceled_at or at) if told.status in SUBSCRIPTION_OVER else None,
        "pause_behavior": told.pause_behavior,
        "pause_resumes_at": told.pause_resumes_at,
        "discounts": [_kept(counted) for counted in step.discounts],
        "as_of": at,
        "as_of_rank": rank,
    }


def _kept(counted: Counted) -> dict[str, Any]:
    terms = counted.terms
    return {
        "id": counted.told.id,
        "coupon": counted.told.coupon_id,
        "item": counted.item_id,
        "percent_off": None if terms.percent_off is None else f"{terms.percent_off.normalize():f}",
        "amount_off": None if terms.amount_off is None else f"{terms.amount_off.normalize():f}",
        "currency": terms.currency,
        "ends": terms.ends.isoformat() if terms.ends else None,
        "products": sorted(terms.products),
    }


def _tell_items(row: Subscription, step: Step, plans: _Plans) -> None:
    told = {item.id or item.price_id: item for item in step.told.items}
    SubscriptionItem.objects.filter(subscription=row).exclude(stripe_item_id__in=told).delete()
    for stripe_id, item in told.items():
        plan = plans.of(item)
        SubscriptionItem.objects.update_or_create(
            subscription=row,
            stripe_item_id=stripe_id,
            defaults={
                "stripe_price_id": item.price_id,
                "stripe_product_id": item.product_id,
                "plan_id": plan.pk if plan else None,
                "unit_amount": item.unit_amount,
                "quantity": item.quantity,
                "interval": item.interval,
                "interval_count": item.interval_count,
                "is_metered": item.is_metered,
                "mrr_minor": monthly(item.rate(), at=step.at),
            },
        )


def _tell_changes(row: Subscription, steps: Sequence[Step], plans: _Plans) -> None:
    known = {change.event_id: change for change in SubscriptionChange.objects.filter(subscription=row)}
    changed = []
    for step in steps:
        change = known.get(step.event_id) or SubscriptionChange(
            subscription=row, event_id=step.event_id, mrr_minor_before=0
        )
        plan = plans.first_of(step.told)
        columns = (
            row.user_id,
            step.told.currency,
            step.at,
            step.place,
            step.told.status,
            plan.pk if plan else None,
            step.mrr_minor,
        )
        if change.pk is None or columns != tuple(getattr(change, name) for name in CHANGE_COLUMNS):
            for name, value in zip(CHANGE_COLUMNS, columns, strict=True):
                setattr(change, name, value)
            change.updated_at = clock.now()
            changed.append(change)
    SubscriptionChange.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["subscription", "event"],
        update_fields=["user", "currency", "at", "rank", "status", "plan", "mrr_minor_after", "updated_at"],
    )
    with connection.cursor() as cursor:
        cursor.execute(CHAIN, {"now": clock.now(), "subscription": row.pk})
