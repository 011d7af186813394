"""The same events in the shapes that Stripe has had since 2025-03-31, where they were told in those before.

What an object named itself until then, something else names: what pays an invoice stands in an event of its own, and
so does the charge of a payment intent; periods and discounts stand on the items of a subscription.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

from backoffice.demo import ids, stripe_events
from backoffice.demo.acts import Act, Delivery

API_VERSION = "2025-03-31.basil"

Object = Mapping[str, Any]


def retold(acts: Iterable[Act], *, since: datetime) -> list[Act]:
    """The acts in their order; of Stripe's events those from ``since`` on in the newer shapes."""
    told: list[Act] = []
    for act in acts:
        told += _deliveries(act) if isinstance(act, Delivery) and act.at >= since else [act]
    return told


def _deliveries(act: Delivery) -> Iterator[Delivery]:
    event = json.loads(act.body)
    rng = Random(event["id"])  # noqa: S311 (a story, not a secret)
    for event_type, subject in _told(rng, event, act.person_id):
        told = event | {"type": event_type, "api_version": API_VERSION, "data": {"object": subject}}
        if event_type != event["type"]:
            told["id"] = ids.stripe_id(rng, "evt_")
        yield replace(act, body=stripe_events.written(told))


def _told(rng: Random, event: Object, person_id: str | None) -> Iterator[tuple[str, Object]]:
    """What one event of the older shapes tells: types of events and their objects."""
    event_type, subject = event["type"], event["data"]["object"]
    match subject["object"]:
        case "subscription":
            discount = subject["discount"]
            if discount and event_type.endswith(".created"):
                yield "customer.discount.created", _discount(subject)
            yield event_type, _subscription(subject, event["created"])
        case "invoice":
            yield event_type, _invoice(subject, person_id)
            if intent_id := subject["payment_intent"]:
                yield "invoice_payment.paid", _invoice_payment(rng, subject, intent_id)
        case "payment_intent":
            (charge,) = subject["charges"]["data"]
            yield event_type, _without(subject, "charges", "invoice") | {"latest_charge": charge["id"]}
            yield f"charge.{charge['status']}", _without(charge, "invoice")
        case "charge":
            yield event_type, _without(subject, "invoice", "refunds")
            yield from (("refund.created", refund) for refund in subject["refunds"]["data"])
        case _:
            yield event_type, subject


def _subscription(told: Object, at: int) -> dict[str, Any]:
    discount = told["discount"]
    moved = {
        "current_period_end": told["current_period_end"],
        "current_period_start": told["current_period_start"],
        "discounts": [discount["id"]] if discount and discount["end"] > at else [],
    }
    items = told["items"] | {"data": [item | moved for item in told["items"]["data"]]}
    rest = _without(told, "current_period_end", "current_period_start", "discount", "quantity")
    return rest | {"discounts": [], "items": items}


def _discount(told: Object) -> dict[str, Any]:
    (item,) = told["items"]["data"]
    whose = {"customer": told["customer"], "subscription": told["id"], "subscription_item": item["id"]}
    return told["discount"] | whose


def _invoice(told: Object, person_id: str | None) -> dict[str, Any]:
    discount = told["discount"]
    metadata = {"user_id": person_id}
    parent = {
        "quote_details": None,
        "subscription_details": {"metadata": metadata, "subscription": told["subscription"]},
        "type": "subscription_details",
    }
    lines = told["lines"] | {"data": [_line(line, metadata) for line in told["lines"]["data"]]}
    rest = _without(told, "discount", "paid", "payment_intent", "subscription", "tax")
    new = {"discounts": [discount["id"]] if discount else [], "parent": parent, "total_taxes": []}
    return rest | new | {"amount_overpaid": 0, "lines": lines}


def _line(told: Object, metadata: Object) -> dict[str, Any]:
    kind = "invoice_item_details" if told["proration"] else "subscription_item_details"
    details = {
        "invoice_item": None,
        "proration": told["proration"],
        "proration_details": {"credited_items": None},
        "subscription": told["subscription"],
        "subscription_item": told["subscription_item"],
    }
    price = told["price"]
    rest = _without(told, "price", "proration", "subscription", "subscription_item", "type")
    return rest | {
        "metadata": metadata,
        "parent": {"invoice_item_details": None, "subscription_item_details": None, "type": kind, kind: details},
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "taxes": [],
    }


def _invoice_payment(rng: Random, invoice: Object, intent_id: str) -> dict[str, Any]:
    paid_at = invoice["status_transitions"]["paid_at"]
    return {
        "id": ids.stripe_id(rng, "inpay_"),
        "object": "invoice_payment",
        "amount_paid": invoice["total"],
        "amount_requested": invoice["total"],
        "created": paid_at,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent_id, "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": paid_at},
    }


def _without(told: Object, *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}
