"""Invoices as Stripe sends them, whole, in the shapes of three API versions.

A test says once what an invoice is of; ``invoice`` writes it as the version does: until 2025-03-31 the invoice names
its subscription, its payment and its charge, and each line carries its price whole; since then the subscription stands
below ``parent``, what paid below ``payments``, and a line names its price below ``pricing``.
"""

from typing import Any

from billing.tests.stripe_bodies import CREATED, new_id

OLD, MIDDLE, NEW = "2022-11-15", "2024-06-20", "2025-10-29.clover"
VERSIONS = (OLD, MIDDLE, NEW)
MONTH = 30 * 86_400

_ADDRESS = {"city": None, "country": "DE", "line1": None, "line2": None, "postal_code": None, "state": None}


def line(
    price_id: str,
    *,
    product_id: str = "prod_pro",
    quantity: int = 1,
    amount: int = 2000,
    unit_amount: int = 2000,
    start: int = CREATED,
    end: int = CREATED + MONTH,
    interval: str = "month",
    interval_count: int = 1,
    proration: bool = False,
    metered: bool = False,
    added: bool = False,
) -> dict[str, Any]:
    """What a line is of, for ``invoice`` to write. A proration of less than nothing gives back; ``added`` is
    what the subscription does not renew."""
    return dict(locals())


def invoice(version: str, *, lines: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """The invoice of a subscription, as ``version`` writes it. ``fields`` are those that all versions have, and
    ``subscription``, ``subscription_metadata``, ``tax`` and ``payment_intent``."""
    told = {
        "subscription": "sub_ada",
        "subscription_metadata": {},
        "payment_intent": "pi_ada",
        "tax": 0,
        "currency": "usd",
        "status": "open",
    } | fields
    special = {name: told.pop(name) for name in ("subscription", "subscription_metadata", "payment_intent", "tax")}
    total = sum(each["amount"] for each in lines) + special["tax"]
    is_paid = told["status"] == "paid"
    whole = _common(total - special["tax"], total, is_paid) | told
    whole["lines"] = {
        "object": "list",
        "data": [_line(version, each, whole, special) for each in lines],
        "has_more": False,
        "total_count": len(lines),
        "url": f"/v1/invoices/{whole['id']}/lines",
    }
    return whole | (_new(special, whole) if version == NEW else _older(version, special, whole))


def _common(subtotal: int, total: int, is_paid: bool) -> dict[str, Any]:
    return {
        "id": new_id("in"),
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Example GmbH",
        "account_tax_ids": None,
        "amount_due": max(0, total),
        "amount_paid": max(0, total) if is_paid else 0,
        "amount_remaining": 0 if is_paid else max(0, total),
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 1 if is_paid else 0,
        "attempted": is_paid,
        "auto_advance": False,
        "automatic_tax": {"enabled": False, "status": None},
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": CREATED,
        "custom_fields": None,
        "customer": "cus_ada",
        "customer_address": _ADDRESS,
        "customer_email": "ada@example.com",
        "customer_name": "Ada Payer",
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": CREATED,
        "ending_balance": 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": "https://invoice.stripe.com/i/acct_1/test_ada?s=ap",
        "invoice_pdf": "https://pay.stripe.com/invoice/acct_1/test_ada/pdf?s=ap",
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": "ADA-0001",
        "on_behalf_of": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        # Of the month before, as Stripe says it; the lines say what is paid for.
        "period_end": CREATED,
        "period_start": CREATED - MONTH,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status_transitions": {
            "finalized_at": CREATED,
            "marked_uncollectible_at": None,
            "paid_at": CREATED + 3 if is_paid else None,
            "voided_at": None,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": subtotal,
        "webhooks_delivered_at": CREATED,
    }


def _older(version: str, special: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    is_paid = whole["status"] == "paid"
    told = {
        "application_fee_amount": None,
        "charge": "ch_ada" if is_paid and special["payment_intent"] else None,
        "discount": None,
        "paid": is_paid,
        "paid_out_of_band": False,
        "payment_intent": special["payment_intent"],
        "quote": None,
        "rendering_options": None,
        "subscription": special["subscription"],
        "tax": special["tax"] or None,
        "total_tax_amounts": [{"amount": special["tax"], "inclusive": False, "tax_rate": "txr_1"}]
        if special["tax"]
        else [],
        "transfer_data": None,
    }
    if version == MIDDLE:
        told["subscription_details"] = {"metadata": special["subscription_metadata"]}
        told["issuer"] = {"type": "self"}
        told["rendering"] = None
    return told


def _new(special: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    parent = {
        "quote_details": None,
        "subscription_details": {
            "metadata": special["subscription_metadata"],
            "subscription": special["subscription"],
        },
        "type": "subscription_details",
    }
    return {
        "amount_overpaid": 0,
        "automatically_finalizes_at": None,
        "confirmation_secret": None,
        "customer_account": None,
        "issuer": {"type": "self"},
        "parent": parent if special["subscription"] else None,
        "payments": _payments(special["payment_intent"], whole),
        "rendering": None,
        "total_pretax_credit_amounts": [],
        "total_taxes": [_tax(special["tax"])] if special["tax"] else [],
    }


def _tax(amount: int) -> dict[str, Any]:
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": "txr_1"},
        "taxability_reason": "not_available",
        "taxable_amount": None,
        "type": "tax_rate_details",
    }


def _payments(payment_intent: str | None, whole: dict[str, Any]) -> dict[str, Any]:
    paid = invoice_payment(whole["id"], payment_intent, amount=whole["total"], status=whole["status"])
    return {
        "object": "list",
        "data": [paid] if payment_intent else [],
        "has_more": False,
        "total_count": 1 if payment_intent else 0,
        "url": "/v1/invoice_payments",
    }


def invoice_payment(
    invoice_id: str, payment_intent: str | None, *, amount: int = 2000, status: str = "paid", currency: str = "usd"
) -> dict[str, Any]:
    """What ties a payment to an invoice, since 2025-03-31."""
    is_paid = status == "paid"
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": amount if is_paid else None,
        "amount_requested": amount,
        "created": CREATED,
        "currency": currency,
        "invoice": invoice_id,
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": payment_intent, "type": "payment_intent"},
        "status": "paid" if is_paid else "open",
        "status_transitions": {"canceled_at": None, "paid_at": CREATED + 3 if is_paid else None},
    }


def _line(version: str, told: dict[str, Any], whole: dict[str, Any], special: dict[str, Any]) -> dict[str, Any]:
    gives_back = told["proration"] and told["amount"] < 0
    credited = {"invoice": "in_before", "invoice_line_items": ["il_before"]} if gives_back else None
    common = {
        "id": new_id("il"),
        "object": "line_item",
        "amount": told["amount"],
        "currency": whole["currency"],
        "description": f"{told['quantity']} × Pro (at $20.00 / month)",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": whole["id"],
        "livemode": False,
        "metadata": special["subscription_metadata"],
        "period": {"end": told["end"], "start": told["start"]},
        "pretax_credit_amounts": [],
        "quantity": told["quantity"],
    }
    is_item = told["proration"] or told["added"] or not special["subscription"]
    if version == NEW:
        return common | _new_line(told, special, credited, is_item)
    return common | {
        "amount_excluding_tax": told["amount"],
        "plan": _plan(told, whole["currency"]),
        "price": _price(told, whole["currency"]),
        "proration": told["proration"],
        "proration_details": {"credited_items": credited},
        "subscription": special["subscription"],
        "subscription_item": "si_ada" if special["subscription"] else None,
        "tax_amounts": [],
        "tax_rates": [],
        "type": "invoiceitem" if is_item else "subscription",
        "unit_amount_excluding_tax": str(told["unit_amount"]),
    }


def _new_line(told: dict[str, Any], special: dict[str, Any], credited: Any, is_item: bool) -> dict[str, Any]:
    item = {
        "invoice_item": "ii_ada" if is_item else None,
        "proration": told["proration"],
        "proration_details": {"credited_items": credited},
        "subscription": special["subscription"],
    }
    return {
        "parent": {
            "invoice_item_details": item if is_item else None,
            "subscription_item_details": None if is_item else item | {"subscription_item": "si_ada"},
            "type": "invoice_item_details" if is_item else "subscription_item_details",
        },
        "pricing": {
            "price_details": {"price": told["price_id"], "product": told["product_id"]},
            "type": "price_details",
            "unit_amount_decimal": str(told["unit_amount"]),
        },
        "subtotal": told["amount"],
        "taxes": [],
    }


def _price(told: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "id": told["price_id"],
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": CREATED - 900_000,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": told["product_id"],
        "recurring": {
            "aggregate_usage": "sum" if told["metered"] else None,
            "interval": told["interval"],
            "interval_count": told["interval_count"],
            "meter": None,
            "trial_period_days": None,
            "usage_type": "metered" if told["metered"] else "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": told["unit_amount"],
        "unit_amount_decimal": str(told["unit_amount"]),
    }


def _plan(told: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "id": told["price_id"],
        "object": "plan",
        "active": True,
        "aggregate_usage": None,
        "amount": told["unit_amount"],
        "amount_decimal": str(told["unit_amount"]),
        "billing_scheme": "per_unit",
        "created": CREATED - 900_000,
        "currency": currency,
        "interval": told["interval"],
        "interval_count": told["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": told["product_id"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "metered" if told["metered"] else "licensed",
    }
