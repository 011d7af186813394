"""Reads of subscriptions, and of the events that tell of them."""

from collections.abc import Collection
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Q, QuerySet, Subquery, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.selectors import family_of
from billing.models import Plan, PlanPrice, StripeEvent, Subscription, SubscriptionChange
from billing.models.statuses import SUBSCRIPTION_OVER, SubscriptionStatus
from billing.payloads import value_at
from billing.selectors.events import BADGE_LIMIT

SUBSCRIPTION_PREFIX = "customer.subscription."
DISCOUNT_PREFIX = "customer.discount."
COUPON_TYPES = ("coupon.created", "coupon.updated")
# While it is one of these, the customer has what they subscribed to.
LIVE = (SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)


def subscriptions() -> QuerySet[Subscription]:
    """All subscriptions with whose they are and their plan."""
    return Subscription.objects.select_related("user", "plan")


def subscription_of(stripe_subscription_id: str) -> Subscription | None:
    """The subscription of this id of Stripe's, with whose it is."""
    return Subscription.objects.select_related("user").filter(stripe_subscription_id=stripe_subscription_id).first()


def open_subscriptions_of(stripe_customer_id: str) -> list[str]:
    """The ids of the subscriptions of a customer of Stripe's that are not over, in one order for everybody."""
    found = Subscription.objects.filter(stripe_customer_id=stripe_customer_id).exclude(status__in=SUBSCRIPTION_OVER)
    return list(found.order_by("stripe_subscription_id").values_list("stripe_subscription_id", flat=True))


def subscriptions_of(*, user_id: int, limit: int) -> list[Subscription]:
    """A customer's subscriptions and those of whoever was merged into them, with their items, newest first."""
    found = subscriptions().filter(user_id__in=family_of(user_id)).order_by("-started_at", "-pk")[:limit]
    return list(found.prefetch_related("items"))


def search_subscriptions(found: QuerySet[Subscription], text: str) -> QuerySet[Subscription]:
    """Subscriptions of the customer with this email, or of exactly this id of Stripe's (subscription or customer)."""
    term = text.replace("\x00", "").strip()
    if not term:
        return found
    if "@" in term:
        user_id = User.objects.with_email(term).values_list("pk", flat=True).first()
        return found.filter(user_id=user_id) if user_id else found.none()
    return found.filter(Q(stripe_subscription_id=term) | Q(stripe_customer_id=term))


def subscriptions_named(text: str) -> QuerySet[Subscription]:
    """The subscription of exactly this id of Stripe's, or those of this customer of Stripe's; newest first."""
    return search_subscriptions(subscriptions(), text).order_by("-started_at", "-pk")


def leaving(found: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Those of them that go on until their period ends and no longer."""
    return found.filter(cancel_at_period_end=True, ended_at__isnull=True)


def subscriptions_past_due() -> int:
    """How many subscriptions have an invoice that was not paid, counted up to BADGE_LIMIT."""
    return Subscription.objects.filter(status=SubscriptionStatus.PAST_DUE)[:BADGE_LIMIT].count()


def changes_of(subscription: Subscription, *, limit: int) -> list[SubscriptionChange]:
    """The latest changes of a subscription's state, plan or MRR, the last first; its events may tell of others too."""
    changes = SubscriptionChange.objects.filter(subscription=subscription).select_related("plan")
    # Who replays or reads an event does so by its type.
    changes = changes.select_related("event").defer("event__body", "event__payload").order_by("-at", "-rank", "-pk")
    latest = list(changes[: limit + 1])
    seen = [
        change
        for change, before in pairwise([*latest, None])
        if change and (before is None or _state(change) != _state(before))
    ]
    return seen[:limit]


def _state(change: SubscriptionChange) -> tuple[str, int | None, int]:
    return change.status, change.plan_id, change.mrr_minor_after


def has_other_changes(subscription: Subscription, event_ids: Collection[int]) -> bool:
    """Whether there is a change of this subscription that none of these events made."""
    return SubscriptionChange.objects.filter(subscription=subscription).exclude(event_id__in=event_ids).exists()


def live_subscription_holders(user_ids: Collection[int]) -> set[int]:
    """Those of these customers who have a live subscription of their own or of somebody merged into them."""
    live = Subscription.objects.filter(status__in=LIVE)
    mine = live.filter(user_id__in=user_ids).values_list("user_id", flat=True)
    merged = live.filter(user__retirement__into__in=user_ids).values_list("user__retirement__into", flat=True)
    return {user_id for user_id in [*mine, *merged] if user_id is not None}


def plans_of_prices(price_ids: Collection[str]) -> dict[str, Plan]:
    """The plans that are sold at these prices of Stripe's."""
    prices = PlanPrice.objects.select_related("plan").filter(stripe_price_id__in=price_ids)
    return {price.stripe_price_id: price.plan for price in prices}


def plans_of_products(product_ids: Collection[str]) -> dict[str, Plan]:
    """The plans that these products of Stripe's stand for."""
    return {plan.stripe_product_id or "": plan for plan in Plan.objects.filter(stripe_product_id__in=product_ids)}


def words_on_subscription(stripe_id: str, *, livemode: bool, since: datetime) -> list[StripeEvent]:
    """The stored events of a subscription from ``since`` on, and the last one before it."""
    told = StripeEvent.objects.defer("body").filter(
        object_id=stripe_id,
        type__startswith=SUBSCRIPTION_PREFIX,
        livemode=livemode,
        payload__isnull=False,
        stripe_created__isnull=False,
    )
    before = told.filter(stripe_created__lt=since).order_by("-stripe_created", "-pk")
    newest = Coalesce(Subquery(before.values("stripe_created")[:1]), Value(since))
    return list(told.filter(stripe_created__gte=newest))


def words_on_discounts(stripe_id: str, *, stripe_customer_id: str, livemode: bool) -> list[StripeEvent]:
    """The stored events of the discounts of a subscription, and of those of its customer that are of no other."""
    told = StripeEvent.objects.defer("body").filter(
        type__startswith=DISCOUNT_PREFIX, livemode=livemode, payload__isnull=False, stripe_created__isnull=False
    )
    own = list(told.filter(subscription_id=stripe_id))
    if not stripe_customer_id:
        return own
    customers = told.alias(customer=KT("payload__data__object__customer")).filter(customer=stripe_customer_id)
    return [*own, *customers.filter(subscription_id="")]


def coupon_told(coupon_id: str, *, livemode: bool) -> Any:
    """A coupon as Stripe told of it last, or None."""
    told = StripeEvent.objects.filter(
        object_id=coupon_id, type__in=COUPON_TYPES, livemode=livemode, payload__isnull=False
    )
    event = told.defer("body").order_by("-stripe_created", "-pk").first()
    return value_at(event.payload, "data", "object") if event else None


def plan_keys_of(user_id: int) -> tuple[list[str], list[str]]:
    """The keys of the plans that a customer is subscribed to, the newest first; and of all they ever were."""
    family = family_of(user_id)
    live = Subscription.objects.filter(user_id__in=family, status__in=LIVE, plan__isnull=False)
    # What a subscription was before it changed: its end may be told before the change is.
    ever = SubscriptionChange.objects.filter(user_id__in=family, plan__isnull=False)
    return (
        list(live.order_by("-started_at", "-pk").values_list("plan__key", flat=True)),
        list(ever.order_by("plan__key").values_list("plan__key", flat=True).distinct()),
    )
