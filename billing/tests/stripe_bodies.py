"""Events as Stripe sends them, whole objects with their nulls, and signed by Stripe's own scheme."""

import copy
import itertools
import json
from datetime import datetime

import stripe

from backoffice.lib import clock

SECRET = "whsec_4f0b8d2c6a1e49f7b3d5"
CREATED = 1_763_700_000
API_VERSION = "2025-10-29.clover"

_numbers = itertools.count(1)

_CARD_OPTIONS = {
    "card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
}

_PAYMENT_INTENT = {
    "id": "pi_",
    "object": "payment_intent",
    "amount": 1000,
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 1000,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "automatic_async",
    "client_secret": "pi_secret",
    "confirmation_method": "automatic",
    "created": CREATED - 40,
    "currency": "usd",
    "customer": None,
    "description": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": "ch_",
    "livemode": False,
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": "pm_1SVhYB2eZvKYlo2C",
    "payment_method_configuration_details": {"id": "pmc_1Nv0FG", "parent": None},
    "payment_method_options": _CARD_OPTIONS,
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": None,
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

_CHARGE = {
    "id": "ch_",
    "object": "charge",
    "amount": 1000,
    "amount_captured": 1000,
    "amount_refunded": 0,
    "balance_transaction": "txn_3SVhYB2eZvKYlo2C",
    "billing_details": {
        "address": {"city": None, "country": "DE", "line1": None, "line2": None, "postal_code": None, "state": None},
        "email": None,
        "name": "Ada Payer",
        "phone": None,
        "tax_id": None,
    },
    "captured": True,
    "created": CREATED - 5,
    "currency": "usd",
    "customer": None,
    "disputed": False,
    "failure_code": None,
    "fraud_details": {},
    "invoice": None,
    "livemode": False,
    "metadata": {},
    "outcome": {"network_status": "approved_by_network", "risk_level": "normal", "type": "authorized"},
    "paid": True,
    "payment_intent": "pi_",
    "payment_method": "pm_1SVhYB2eZvKYlo2C",
    "payment_method_details": {
        "type": "card",
        "card": {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "exp_month": 4,
            "exp_year": 2031,
            "funding": "credit",
            "installments": None,
            "last4": "4242",
            "network": "visa",
            "three_d_secure": None,
            "wallet": None,
        },
    },
    "receipt_email": None,
    "refunded": False,
    "refunds": None,
    "status": "succeeded",
}

_SESSION = {
    "id": "cs_test_",
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "allow_promotion_codes": None,
    "amount_subtotal": 1000,
    "amount_total": 1000,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "cancel_url": "https://product.example/credits",
    "client_reference_id": None,
    "client_secret": None,
    "consent": None,
    "consent_collection": None,
    "created": CREATED - 60,
    "currency": "usd",
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
    "customer": None,
    "customer_creation": "if_required",
    "customer_details": {
        "address": {"city": None, "country": "DE", "line1": None, "line2": None, "postal_code": None, "state": None},
        "email": None,
        "name": "Ada Payer",
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    },
    "customer_email": None,
    "discounts": [],
    "expires_at": CREATED + 86_400,
    "invoice": None,
    "invoice_creation": {"enabled": False, "invoice_data": {"custom_fields": None, "metadata": {}}},
    "livemode": False,
    "locale": None,
    "metadata": {},
    "mode": "payment",
    "payment_intent": "pi_",
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card", "link"],
    "payment_status": "paid",
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "complete",
    "submit_type": None,
    "subscription": None,
    "success_url": "https://product.example/thanks",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted",
    "url": None,
    "wallet_options": None,
}


def new_id(prefix: str) -> str:
    """An id like Stripe's, different each time."""
    return f"{prefix}_3SVhYB2eZvKYlo2C{next(_numbers):08d}"


def payment_intent(**fields) -> dict:
    intent = copy.deepcopy(_PAYMENT_INTENT) | {"id": new_id("pi"), "latest_charge": new_id("ch")}
    if "amount" in fields:
        intent["amount_received"] = fields["amount"]
    return intent | fields


def charge(**fields) -> dict:
    return copy.deepcopy(_CHARGE) | {"id": new_id("ch")} | fields


def checkout_session(payment_intent_id: str, **fields) -> dict:
    session = copy.deepcopy(_SESSION) | {"id": new_id("cs_test"), "payment_intent": payment_intent_id}
    if "email" in fields:
        session["customer_details"]["email"] = fields.pop("email")
    return session | fields


def line_items(*bought: tuple[str, int], has_more: bool = False) -> dict:
    """The list of line items of ``(price id, quantity)``, as it stands in an expanded session or its own answer."""
    return {
        "object": "list",
        "data": [_line_item(price_id, quantity) for price_id, quantity in bought],
        "has_more": has_more,
        "url": "/v1/checkout/sessions/cs_test/line_items",
    }


def _line_item(price_id: str, quantity: int | None) -> dict:
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": 1000 * (quantity or 0),
        "amount_tax": 0,
        "amount_total": 1000 * (quantity or 0),
        "currency": "usd",
        "description": "100 credits",
        "metadata": {},
        "price": {
            "id": price_id,
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "created": CREATED - 900_000,
            "currency": "usd",
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": "prod_TSc1xq",
            "recurring": None,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": 1000,
            "unit_amount_decimal": "1000",
        },
        "quantity": quantity,
    }


def event(event_type: str, subject: dict, **fields) -> dict:
    """The event that tells of ``subject``."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": CREATED,
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    } | fields


def intent_succeeded(intent: dict, **fields) -> dict:
    return event("payment_intent.succeeded", intent, **fields)


def session_completed(session: dict, **fields) -> dict:
    return event("checkout.session.completed", session, **{"created": CREATED + 2} | fields)


def encoded(body: dict) -> bytes:
    """The bytes as Stripe sends them, indented."""
    return json.dumps(body, indent=2).encode()


def signature(body: bytes, *, secret: str = SECRET, at: datetime | None = None) -> str:
    """The Stripe-Signature header of ``body``."""
    timestamp = int((at or clock.now()).timestamp())
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp)
