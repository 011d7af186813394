"""Events as Stripe delivers them, in the shape of one API version of theirs, byte for byte from the story's chance."""

import json
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from backoffice.demo import ids
from backoffice.demo.acts import Pack, Person

# Of this version, a payment intent still carries its charges, and with them the card that paid.
API_VERSION = "2022-08-01"

Object = Mapping[str, Any]


def event(rng: Random, at: datetime, event_type: str, subject: Object) -> bytes:
    """The body of one delivery."""
    envelope = {
        "id": ids.stripe_id(rng, "evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": _seconds(at),
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }
    return json.dumps(envelope, ensure_ascii=False, indent=2).encode()


def payment_intent(rng: Random, at: datetime, person: Person, pack: Pack, metadata: Object) -> dict[str, Any]:
    """A payment intent that succeeded, with its charge."""
    intent_id = ids.stripe_id(rng, "pi_")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": pack.price_minor,
        "amount_received": pack.price_minor,
        "capture_method": "automatic",
        "charges": {
            "object": "list",
            "data": [_charge(rng, at, person, pack, intent_id)],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/charges?payment_intent={intent_id}",
        },
        "confirmation_method": "automatic",
        "created": _seconds(at),
        "currency": pack.currency.lower(),
        "customer": person.stripe_customer_id,
        "description": f"{pack.name}: {pack.credits} credits",
        "livemode": False,
        "metadata": dict(metadata),
        "payment_method_types": ["card"],
        "receipt_email": person.email,
        "status": "succeeded",
    }


def _charge(rng: Random, at: datetime, person: Person, pack: Pack, intent_id: str) -> dict[str, Any]:
    return {
        "id": ids.stripe_id(rng, "ch_"),
        "object": "charge",
        "amount": pack.price_minor,
        "amount_captured": pack.price_minor,
        "amount_refunded": 0,
        "billing_details": {"email": person.email, "name": person.name},
        "captured": True,
        "created": _seconds(at),
        "currency": pack.currency.lower(),
        "customer": person.stripe_customer_id,
        "paid": True,
        "payment_intent": intent_id,
        "payment_method_details": {
            "type": "card",
            "card": {"brand": person.card_brand, "last4": person.card_last4, "country": person.country},
        },
        "status": "succeeded",
    }


def checkout_session(
    rng: Random, at: datetime, person: Person, pack: Pack, intent_id: str, metadata: Object
) -> dict[str, Any]:
    """A completed and paid checkout of one pack, with its line item."""
    item = {
        "id": ids.stripe_id(rng, "li_"),
        "object": "item",
        "amount_total": pack.price_minor,
        "currency": pack.currency.lower(),
        "description": f"{pack.credits} credits",
        "price": {"id": pack.price_id, "object": "price", "unit_amount": pack.price_minor},
        "quantity": 1,
    }
    return {
        "id": ids.stripe_id(rng, "cs_test_"),
        "object": "checkout.session",
        "amount_subtotal": pack.price_minor,
        "amount_total": pack.price_minor,
        "created": _seconds(at),
        "currency": pack.currency.lower(),
        "customer": person.stripe_customer_id,
        "customer_details": {"email": person.email, "name": person.name, "address": {"country": person.country}},
        "line_items": {"object": "list", "data": [item], "has_more": False},
        "livemode": False,
        "metadata": dict(metadata),
        "mode": "payment",
        "payment_intent": intent_id,
        "payment_status": "paid",
        "status": "complete",
    }


def customer(at: datetime, person: Person) -> dict[str, Any]:
    """Stripe's record of a customer."""
    return {
        "id": person.stripe_customer_id,
        "object": "customer",
        "created": _seconds(at),
        "email": person.email,
        "livemode": False,
        "metadata": {"user_id": person.external_id},
        "name": person.name,
    }


def payout(rng: Random, at: datetime) -> dict[str, Any]:
    """Stripe's weekly payment to the company's bank."""
    return {
        "id": ids.stripe_id(rng, "po_"),
        "object": "payout",
        "amount": rng.randint(20_000, 90_000),
        "arrival_date": _seconds(at),
        "currency": "usd",
        "livemode": False,
        "status": "paid",
        "type": "bank_account",
    }


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
