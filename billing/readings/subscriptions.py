"""Subscriptions as Stripe writes them, of any API version: periods and discounts on the whole or on its items, prices
as ``price`` or as ``plan``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.models.statuses import Interval, SubscriptionStatus
from billing.mrr import Discount, Rate
from billing.payloads import id_at, moment_at, text_at, value_at, whole_at
from billing.readings.customers import named_users
from billing.readings.discounts import DiscountTold, read_discounts
from billing.readings.numbers import LARGEST_COUNT, decimal_at
from billing.stripe_amounts import in_minor_units

LARGEST_QUANTITY = 10**12


@dataclass(frozen=True, kw_only=True)
class ItemTold:
    """One item. ``unit_amount`` is in our minor units, None if it is by use or in tiers."""

    id: str
    price_id: str
    product_id: str
    unit_amount: Decimal | None
    quantity: int
    interval: Interval
    interval_count: int
    is_metered: bool
    pack_size: int
    rounds_up: bool
    on_trial_until: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    discounts: tuple[DiscountTold, ...]

    def rate(self, discounts: Iterable[Discount] = ()) -> Rate:
        """What it costs, with these discounts of its own."""
        return Rate(
            unit_amount=None if self.is_metered else self.unit_amount,
            quantity=self.quantity,
            interval=self.interval,
            count=self.interval_count,
            pack_size=self.pack_size,
            rounds_up=self.rounds_up,
            product_id=self.product_id,
            on_trial_until=self.on_trial_until,
            discounts=tuple(discounts),
        )


@dataclass(frozen=True, kw_only=True)
class SubscriptionTold:
    """A subscription as one event tells it; times in UTC. ``has_all_items`` is False if the list goes on elsewhere."""

    id: str
    status: SubscriptionStatus
    currency: str
    references: frozenset[str]
    stripe_customer_id: str
    email: str
    started_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    trial_start: datetime | None
    trial_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    is_paused: bool
    pause_behavior: str
    pause_resumes_at: datetime | None
    items: tuple[ItemTold, ...]
    has_all_items: bool
    discounts: tuple[DiscountTold, ...]


def read_subscription(subject: Any, *, at: datetime) -> SubscriptionTold | None:
    """What an event of ``at`` tells; None if it does not say the state, the currency or its id."""
    status = text_at(subject, "status", limit=32)
    currency = _currency(subject)
    if status not in SubscriptionStatus.values or not currency or not id_at(subject, "id"):
        return None
    listed = value_at(subject, "items", "data")
    items = tuple(_item(each, currency) for each in _dicts(listed)) or _single_item(subject, currency)
    pause = value_at(subject, "pause_collection")
    return SubscriptionTold(
        id=id_at(subject, "id"),
        status=SubscriptionStatus(status),
        currency=currency,
        references=named_users(value_at(subject, "metadata")),
        stripe_customer_id=id_at(subject, "customer"),
        email=text_at(subject, "customer", "email", limit=254).strip().lower(),
        started_at=moment_at(subject, "start_date") or moment_at(subject, "created") or at,
        # Since 2025-03-31 each item has its own period.
        period_start=moment_at(subject, "current_period_start") or _first(item.period_start for item in items),
        period_end=moment_at(subject, "current_period_end") or _first(item.period_end for item in items),
        trial_start=moment_at(subject, "trial_start"),
        trial_end=moment_at(subject, "trial_end"),
        cancel_at_period_end=value_at(subject, "cancel_at_period_end") is True,
        cancel_at=moment_at(subject, "cancel_at"),
        canceled_at=moment_at(subject, "canceled_at"),
        ended_at=moment_at(subject, "ended_at"),
        is_paused=isinstance(pause, dict),
        pause_behavior=text_at(pause, "behavior", limit=32),
        pause_resumes_at=moment_at(pause, "resumes_at"),
        items=items,
        has_all_items=value_at(subject, "items", "has_more") is not True,
        discounts=read_discounts(subject),
    )


def read_items(listed: Iterable[Any], *, currency: str) -> tuple[ItemTold, ...]:
    """The items of a list that was read by itself."""
    return tuple(_item(each, currency) for each in _dicts(list(listed)))


def _item(item: Any, currency: str) -> ItemTold:
    price = _price(item)
    # Until 2018 a plan said all that a price says now, and what recurs stood on it itself.
    recurring = value_at(price, "recurring") or price
    interval, count = text_at(recurring, "interval", limit=8), whole_at(recurring, "interval_count")
    quantity = whole_at(item, "quantity")
    packs = value_at(price, "transform_quantity") or value_at(price, "transform_usage")
    pack_size = whole_at(packs, "divide_by")
    return ItemTold(
        id=id_at(item, "id"),
        price_id=id_at(price, "id"),
        product_id=id_at(price, "product"),
        unit_amount=_unit_amount(price, currency),
        quantity=quantity if quantity is not None and 0 <= quantity <= LARGEST_QUANTITY else 1,
        interval=Interval(interval) if interval in Interval.values else Interval.MONTH,
        interval_count=count if count is not None and 1 <= count <= LARGEST_COUNT else 1,
        is_metered=text_at(recurring, "usage_type", limit=16) == "metered",
        pack_size=pack_size if pack_size is not None and pack_size >= 1 else 1,
        rounds_up=text_at(packs, "round", limit=8) != "down",
        on_trial_until=moment_at(item, "current_trial", "end_date"),
        period_start=moment_at(item, "current_period_start"),
        period_end=moment_at(item, "current_period_end"),
        discounts=read_discounts(item),
    )


def _price(item: Any) -> Any:
    return value_at(item, "price") or value_at(item, "plan")


def _unit_amount(price: Any, currency: str) -> Decimal | None:
    if text_at(price, "billing_scheme", limit=16) == "tiered":
        return None
    for key in ("unit_amount_decimal", "amount_decimal", "unit_amount", "amount"):
        if (amount := decimal_at(price, key)) is not None:
            return in_minor_units(amount, currency)
    return None


def _single_item(subject: Any, currency: str) -> tuple[ItemTold, ...]:
    """The item of a subscription that has no list of them but one ``plan``, as the oldest versions wrote it."""
    if not isinstance(value_at(subject, "plan"), dict):
        return ()
    alone = {"id": id_at(subject, "id"), "plan": value_at(subject, "plan"), "quantity": value_at(subject, "quantity")}
    return (_item(alone, currency),)


def _currency(subject: Any) -> str:
    first = value_at(subject, "items", "data", 0)
    places = (subject, value_at(first, "price"), value_at(first, "plan"), value_at(subject, "plan"))
    found = (text_at(place, "currency", limit=3).upper() for place in places)
    return next((code for code in found if len(code) == 3 and code.isascii() and code.isalpha()), "")


def _dicts(listed: Any) -> list[Any]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)
