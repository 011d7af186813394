"""A signed body, read as far as every event is alike: its id, type, mode, and the object it tells of."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.errors import MalformedEvent
from billing.payloads import id_at, moment_at, stripe_id, text_at, value_at

MAX_DEPTH = 64
EVENT_TYPE = re.compile(r"[A-Za-z0-9_.]{1,255}")
API_VERSION = re.compile(r"[A-Za-z0-9_.-]{0,64}")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One event. Each id is empty if it names none."""

    stripe_id: str
    type: str
    api_version: str
    livemode: bool
    created: datetime | None
    object_id: str
    payment_intent_id: str
    invoice_id: str
    subscription_id: str
    payload: dict[str, Any]


def read_envelope(body: bytes) -> Envelope:
    """The event in ``body``. Raises MalformedEvent if it is none."""
    payload = _parsed(body)
    event_id, event_type = stripe_id(payload.get("id")), payload.get("type")
    if not event_id:
        raise MalformedEvent("The event has no id.")
    if not isinstance(event_type, str) or not EVENT_TYPE.fullmatch(event_type):
        raise MalformedEvent("The event has no type.")
    subject = value_at(payload, "data", "object")
    version = text_at(payload, "api_version", limit=64)
    return Envelope(
        stripe_id=event_id,
        type=event_type,
        api_version=version if API_VERSION.fullmatch(version) else "",
        livemode=payload.get("livemode") is True,
        created=moment_at(payload, "created"),
        object_id=id_at(subject, "id"),
        payment_intent_id=_payment_intent_id(event_type, subject),
        invoice_id=id_at(subject, "id" if event_type.startswith("invoice.") else "invoice"),
        subscription_id=_subscription_id(event_type, subject),
        payload=payload,
    )


def _payment_intent_id(event_type: str, subject: Any) -> str:
    if event_type.startswith("payment_intent."):
        return id_at(subject, "id")
    # Since 2025-03-31 an invoice names what paid it in a list, and an invoice payment names it for itself.
    return (
        id_at(subject, "payment_intent")
        or id_at(subject, "payment", "payment_intent")
        or id_at(subject, "payments", "data", 0, "payment", "payment_intent")
    )


def _subscription_id(event_type: str, subject: Any) -> str:
    if event_type.startswith("customer.subscription."):
        return id_at(subject, "id")
    # Since 2025-03-31 an invoice names it below its parent.
    return id_at(subject, "subscription") or id_at(subject, "parent", "subscription_details", "subscription")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise MalformedEvent("The event is nested too deeply.") from error
    except ValueError as error:
        raise MalformedEvent("The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise MalformedEvent("The body is not a JSON object.")
    if _is_deeper_than(MAX_DEPTH, payload):
        raise MalformedEvent("The event is nested too deeply.")
    return payload


def _refuse_constant(name: str) -> None:
    # Python would read NaN and Infinity, which JSON does not know.
    raise ValueError(f"{name} is not JSON")


def _is_deeper_than(limit: int, payload: Any) -> bool:
    level: list[Any] = [payload]
    for _ in range(limit):
        level = [inner for value in level for inner in _children(value) if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterator[Any]:
    return iter(value.values() if isinstance(value, dict) else value)
