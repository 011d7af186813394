"""Events as Stripe delivers them, in the shape of one API version of theirs, byte for byte from the story's chance."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from backoffice.demo import ids
from backoffice.demo.acts import Pack, Person

# Of this version, a payment intent still carries its charges, and with them the card that paid.
API_VERSION = "2022-08-01"
# Cents of a dollar for one minor unit, as Stripe settles.
CENTS = {"USD": 1.0, "EUR": 1.085, "JPY": 0.66}
EVIDENCE_WITHIN = timedelta(days=12)

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
    return written(envelope)


def written(envelope: Object) -> bytes:
    """An event as the bytes of its delivery."""
    return json.dumps(envelope, ensure_ascii=False, indent=2).encode()


def payment_intent(
    rng: Random,
    at: datetime,
    person: Person,
    *,
    amount: int,
    currency: str,
    description: str,
    metadata: Object,
    invoice_id: str | None = None,
) -> dict[str, Any]:
    """A payment intent that succeeded, with its charge. ``amount`` in minor units of ``currency`` (ISO, capitals)."""
    intent_id = ids.stripe_id(rng, "pi_")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_received": amount,
        "capture_method": "automatic",
        "charges": {
            "object": "list",
            "data": [_charge(rng, at, person, amount, currency, intent_id, invoice_id)],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/charges?payment_intent={intent_id}",
        },
        "confirmation_method": "automatic",
        "created": _seconds(at),
        "currency": currency.lower(),
        "customer": person.stripe_customer_id,
        "description": description,
        "invoice": invoice_id,
        "last_payment_error": None,
        "livemode": False,
        "metadata": dict(metadata),
        "payment_method_types": ["card"],
        "receipt_email": person.email,
        "status": "succeeded",
    }


def declined_intent(rng: Random, at: datetime, person: Person, pack: Pack, metadata: Object) -> dict[str, Any]:
    """An attempt to pay that the card's bank declined."""
    intent = payment_intent(
        rng,
        at,
        person,
        amount=pack.price_minor,
        currency=pack.currency,
        description=f"{pack.name}: {pack.credits} credits",
        metadata=metadata,
    )
    (charge,) = intent["charges"]["data"]
    why = {"failure_code": "card_declined", "failure_message": "Your card was declined."}
    charge |= {"amount_captured": 0, "captured": False, "paid": False, "status": "failed", "balance_transaction": None}
    error = {"code": "card_declined", "message": why["failure_message"], "type": "card_error"}
    intent |= {"amount_received": 0, "status": "requires_payment_method", "last_payment_error": error}
    charge |= why
    return intent


def _charge(
    rng: Random, at: datetime, person: Person, amount: int, currency: str, intent_id: str, invoice_id: str | None
) -> dict[str, Any]:
    return {
        "id": ids.stripe_id(rng, "ch_"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "balance_transaction": _balance_transaction(rng, at, amount, currency),
        "billing_details": {"email": person.email, "name": person.name},
        "captured": True,
        "created": _seconds(at),
        "currency": currency.lower(),
        "customer": person.stripe_customer_id,
        "invoice": invoice_id,
        "paid": True,
        "payment_intent": intent_id,
        "payment_method_details": {
            "type": "card",
            "card": {"brand": person.card_brand, "last4": person.card_last4, "country": person.country},
        },
        "status": "succeeded",
    }


def _balance_transaction(rng: Random, at: datetime, amount: int, currency: str) -> dict[str, Any]:
    """What Stripe settles of it, in dollars: all but 2.9 percent and 30 cents."""
    cents = round(amount * CENTS[currency])
    fee = round(cents * 0.029) + 30
    return {
        "id": ids.stripe_id(rng, "txn_"),
        "object": "balance_transaction",
        "amount": cents,
        "created": _seconds(at),
        "currency": "usd",
        "fee": fee,
        "net": cents - fee,
        "reporting_category": "charge",
        "status": "available",
        "type": "charge",
    }


def refund(rng: Random, at: datetime, charge: Object, amount: int) -> dict[str, Any]:
    """``amount`` minor units of a charge that are given back."""
    return {
        "id": ids.stripe_id(rng, "re_"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": ids.stripe_id(rng, "txn_"),
        "charge": charge["id"],
        "created": _seconds(at),
        "currency": charge["currency"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "requested_by_customer",
        "receipt_number": None,
        "status": "succeeded",
    }


def dispute(rng: Random, at: datetime, charge: Object, reason: str) -> dict[str, Any]:
    """The whole of a charge, contested at the bank, which has taken the money and a fee of 15 dollars."""
    moved = {
        "id": ids.stripe_id(rng, "txn_"),
        "object": "balance_transaction",
        "amount": -round(charge["amount"] * CENTS[charge["currency"].upper()]),
        "created": _seconds(at),
        "currency": "usd",
        "fee": 1500,
        "reporting_category": "dispute",
        "type": "adjustment",
    }
    return {
        "id": ids.stripe_id(rng, "dp_"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [moved | {"net": moved["amount"] - moved["fee"]}],
        "charge": charge["id"],
        "created": _seconds(at),
        "currency": charge["currency"],
        "evidence_details": {
            "due_by": _seconds(at + EVIDENCE_WITHIN),
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
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
