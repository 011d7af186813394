"""Stripe's deliveries, really signed: each a new event in the full shape of its type.

The peer runs this too, in its own environment: nothing but the standard library may be imported here.
"""

import hashlib
import hmac
import json
import time
from itertools import count
from typing import Any
from uuid import uuid4

SECRET = "whsec_of_the_benchmark"  # noqa: S105 (signs nothing but these)
API_VERSION = "2025-10-29.clover"
# What Stripe tells of: that a payment succeeded; and what a receiver keeps and has nothing to do for.
TYPES = ("payment_intent.succeeded", "balance.available")
# Ids of one process are not those of another.
_PREFIX, _numbers = uuid4().hex[:12], count(1)


def delivery(event_type: str) -> tuple[bytes, str]:
    """The body of a new event of this type, and the header that signs it now."""
    number = next(_numbers)
    subject = _payment_intent(number) if event_type == TYPES[0] else _balance()
    body = json.dumps(_event(event_type, subject, number), indent=2).encode()
    at = int(time.time())
    signature = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={at},v1={signature}"


def _event(event_type: str, subject: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "id": f"evt_{_PREFIX}{number}",
        "object": "event",
        "api_version": API_VERSION,
        "context": None,
        "created": int(time.time()),
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }


def _payment_intent(number: int) -> dict[str, Any]:
    return {
        "id": f"pi_{_PREFIX}{number}",
        "object": "payment_intent",
        "amount": 2000,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 2000,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"pi_{_PREFIX}{number}_secret",
        "confirmation_method": "automatic",
        "created": int(time.time()),
        "currency": "usd",
        "customer": None,
        "customer_account": None,
        "description": "100 credits",
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"user_id": "u_1", "credits": "100"},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"installments": None, "network": None, "request_three_d_secure": "any"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": "ada@example.com",
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def _balance() -> dict[str, Any]:
    return {
        "object": "balance",
        "available": [{"amount": 120_000, "currency": "usd", "source_types": {"card": 120_000}}],
        "connect_reserved": [{"amount": 0, "currency": "usd"}],
        "instant_available": [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}],
        "livemode": False,
        "pending": [{"amount": 33_000, "currency": "usd", "source_types": {"card": 33_000}}],
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    }
