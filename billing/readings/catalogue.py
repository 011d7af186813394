"""What Stripe says of a price or a product. No I/O here."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.errors import Parked
from billing.facts import shown
from billing.models.statuses import Interval
from billing.payloads import id_at, text_at, value_at, whole_at
from billing.stripe_amounts import converted
from credits.amounts import parse_amount
from credits.errors import InvalidAmount

NAME_LENGTH = 120
LONGEST_INTERVAL = 1_000


@dataclass(frozen=True, kw_only=True)
class PriceTold:
    """One price. ``amount_minor`` (of ``currency``) is None if it is billed by use or in tiers.

    ``interval`` is empty of what is bought once. ``credits`` are those that its metadata promises, each time or month.
    """

    price_id: str
    product_id: str
    name: str
    amount_minor: int | None
    currency: str
    interval: str
    interval_count: int
    credits: Decimal | None
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class ProductTold:
    """One product. ``credits`` are those of a month that its metadata promises."""

    product_id: str
    name: str
    credits: Decimal | None


def read_price(price: Any) -> PriceTold:
    """Read a price. Raises Parked for credits that are no number."""
    currency = text_at(price, "currency", limit=3).upper()
    interval = text_at(price, "recurring", "interval", limit=8)
    amount = converted(whole_at(price, "unit_amount"), currency)
    return PriceTold(
        price_id=id_at(price, "id"),
        product_id=id_at(price, "product"),
        name=_name(price, "nickname"),
        amount_minor=amount if amount is not None and amount >= 0 else None,
        currency=currency,
        interval=interval if interval in Interval.values else "",
        interval_count=min(max(whole_at(price, "recurring", "interval_count") or 1, 1), LONGEST_INTERVAL),
        credits=_credits(price),
        is_active=value_at(price, "active") is True,
    )


def read_product(product: Any) -> ProductTold:
    """Read a product. Raises Parked for credits that are no number."""
    return ProductTold(product_id=id_at(product, "id"), name=_name(product, "name"), credits=_credits(product))


def _name(subject: Any, key: str) -> str:
    name = value_at(subject, key)
    return name.strip()[:NAME_LENGTH] if isinstance(name, str) else ""


def _credits(subject: Any) -> Decimal | None:
    for key in ("monthly_credits", "credits"):
        told = value_at(subject, "metadata", key)
        if isinstance(told, str) and told.strip():
            try:
                return parse_amount(told)
            except InvalidAmount as error:
                raise Parked(
                    f'The metadata says {key} "{shown(told)}", which is no amount of credits. {error} '
                    "Set it right in Stripe, which sends another event then, or enter the credits here."
                ) from error
    return None
