"""What the company sells, as Stripe tells of its products and prices on the day on which they are entered there."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

from backoffice.demo import stripe_events
from backoffice.demo.acts import Delivery, Pack
from backoffice.demo.catalogue import PACKS
from backoffice.demo.plans import TIERS, Tier
from backoffice.demo.stripe_subscriptions import recurring_price, seconds


def entered(rng: Random, at: datetime) -> Iterator[Delivery]:
    """What Stripe delivers, all at ``at``, when plans and packs are entered there."""
    for tier in TIERS.values():
        yield _delivery(rng, at, "product.created", _product(at, tier))
        for currency, interval in tier.prices:
            yield _delivery(rng, at, "price.created", recurring_price(tier, currency, interval))
    for pack in PACKS:
        yield _delivery(rng, at, "price.created", _price_once(at, pack))


def _product(at: datetime, tier: Tier) -> dict[str, Any]:
    return {
        "id": tier.product_id,
        "object": "product",
        "active": True,
        "created": seconds(at),
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "metadata": {"monthly_credits": str(tier.credits)},
        "name": tier.name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": seconds(at),
        "url": None,
    }


def _price_once(at: datetime, pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.price_id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": seconds(at),
        "currency": pack.currency.lower(),
        "livemode": False,
        "lookup_key": None,
        "metadata": {"credits": str(pack.credits)},
        "nickname": pack.name,
        "product": "prod_CreditPacks00001",
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": pack.price_minor,
        "unit_amount_decimal": str(pack.price_minor),
    }


def _delivery(rng: Random, at: datetime, event_type: str, subject: stripe_events.Object) -> Delivery:
    return Delivery(at=at, body=stripe_events.event(rng, at, event_type, subject), person_id=None)
