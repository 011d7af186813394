"""Reads of plans and the prices at which they are sold."""

from collections.abc import Iterable
from datetime import datetime

from billing.models import Invoice, Plan, PlanPrice, Subscription


def plan_prices(price_ids: Iterable[str]) -> dict[str, PlanPrice]:
    """The prices of plans with these ids of Stripe's, for sale or not any more, with their plans."""
    found = PlanPrice.objects.select_related("plan").filter(stripe_price_id__in=sorted(set(price_ids)))
    return {price.stripe_price_id: price for price in found}


def plans_by_product(product_ids: Iterable[str]) -> dict[str, Plan]:
    """The plans of these products of Stripe's, for sale or not any more."""
    found = Plan.objects.filter(stripe_product_id__in=sorted(set(product_ids)))
    return {plan.stripe_product_id or "": plan for plan in found}


def period_began(stripe_subscription_id: str, *, ends_at: datetime) -> datetime | None:
    """When the period of a subscription began that ends then, as an invoice that granted for it or Stripe said."""
    granted = Invoice.objects.filter(
        stripe_subscription_id=stripe_subscription_id, period_end=ends_at, allowance_start__isnull=False
    ).exclude(stripe_subscription_id="")
    if began_at := granted.values_list("allowance_start", flat=True).first():
        return began_at
    told = Subscription.objects.filter(stripe_subscription_id=stripe_subscription_id, current_period_end=ends_at)
    return told.values_list("current_period_start", flat=True).first()
