"""Discounts as Stripe writes them: by id or whole, with their coupon by id or whole, in lists or alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.mrr import Discount
from billing.payloads import id_at, moment_at, text_at, value_at, whole_at
from billing.readings.numbers import decimal_at
from billing.stripe_amounts import in_minor_units


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """What a coupon takes off; ``amount_off`` in our minor units of ``currency``."""

    percent_off: Decimal | None
    amount_off: Decimal | None
    currency: str
    is_once: bool
    products: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class DiscountTold:
    """A discount by its id. ``coupon`` is None where Stripe gave ids only, of the discount or of its coupon.

    It is of one item, of a subscription or, with neither, of a customer. Empty is what it does not say.
    """

    id: str
    coupon_id: str = ""
    coupon: Coupon | None = None
    ends: datetime | None = None
    subscription_id: str = ""
    item_id: str = ""
    stripe_customer_id: str = ""

    @property
    def key(self) -> str:
        """What it is known by; until 2020 it had no id of its own."""
        return self.id or self.coupon_id

    def terms(self) -> Discount:
        """What it takes off. Only of one whose coupon is known."""
        if self.coupon is None:
            raise ValueError(f"The terms of {self.id} are not known.")
        return Discount(
            percent_off=self.coupon.percent_off,
            amount_off=self.coupon.amount_off,
            currency=self.coupon.currency,
            ends=self.ends,
            is_once=self.coupon.is_once,
            products=self.coupon.products,
        )


def read_discounts(subject: Any) -> tuple[DiscountTold, ...]:
    """The discounts of a subscription or an item: in ``discounts``, and until 2024 also alone in ``discount``."""
    several = value_at(subject, "discounts")
    found = [*(several if isinstance(several, list) else []), value_at(subject, "discount")]
    read = [read_discount(each) for each in found if each]
    # The list and the single one may tell of the same; whoever tells more of it is believed.
    known: dict[str, DiscountTold] = {}
    for told in read:
        if told.key and (told.key not in known or known[told.key].coupon is None):
            known[told.key] = told
    return tuple(known.values())


def read_discount(discount: Any) -> DiscountTold:
    """One discount, by id or whole."""
    if not isinstance(discount, dict):
        return DiscountTold(id=id_at([discount], 0))
    # Since 2025-09-30 the coupon stands below its source.
    holder = discount if value_at(discount, "coupon") else value_at(discount, "source")
    coupon = value_at(holder, "coupon")
    return DiscountTold(
        id=id_at(discount, "id"),
        coupon_id=id_at(holder, "coupon"),
        coupon=read_coupon(coupon) if isinstance(coupon, dict) else None,
        ends=moment_at(discount, "end"),
        subscription_id=id_at(discount, "subscription"),
        item_id=id_at(discount, "subscription_item"),
        stripe_customer_id=id_at(discount, "customer"),
    )


def read_coupon(coupon: Mapping[str, Any]) -> Coupon:
    """A whole coupon."""
    currency = text_at(coupon, "currency", limit=3).upper()
    amount = whole_at(coupon, "amount_off")
    products = value_at(coupon, "applies_to", "products")
    return Coupon(
        percent_off=decimal_at(coupon, "percent_off"),
        amount_off=None if amount is None else in_minor_units(Decimal(amount), currency),
        currency=currency,
        is_once=text_at(coupon, "duration", limit=16) == "once",
        products=frozenset(id_at([product], 0) for product in products) if isinstance(products, list) else frozenset(),
    )
