"""Subscriptions, their items, prices, coupons and discounts as Stripe writes them, whole, in the shape of a version."""

from datetime import UTC, datetime
from typing import Any

from billing.tests.stripe_bodies import event, new_id

V2022, V2024, V2025 = "2022-11-15", "2024-06-20", "2025-10-29.clover"
VERSIONS = (V2022, V2024, V2025)
MONTH = 30 * 86_400


def seconds(year: int, month: int, day: int, hour: int = 12) -> int:
    """This moment in UTC, as Stripe writes it."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


START = seconds(2026, 1, 10)


def price(amount: int | None = 2000, **fields: Any) -> dict[str, Any]:
    """A price of ``amount`` of Stripe's units a month."""
    recurring = {
        "aggregate_usage": None,
        "interval": fields.pop("interval", "month"),
        "interval_count": fields.pop("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": fields.pop("usage_type", "licensed"),
    }
    return {
        "id": "price_pro",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": START - 900_000,
        "currency": "usd",
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": "prod_pro",
        "recurring": recurring,
        "tax_behavior": "exclusive",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": None if amount is None else str(amount),
    } | fields


def plan(of: dict[str, Any]) -> dict[str, Any]:
    """The same price, as it was called before there were prices, and stands beside them still."""
    return {
        "id": of["id"],
        "object": "plan",
        "active": True,
        "aggregate_usage": None,
        "amount": of["unit_amount"],
        "amount_decimal": of["unit_amount_decimal"],
        "billing_scheme": of["billing_scheme"],
        "created": of["created"],
        "currency": of["currency"],
        "interval": of["recurring"]["interval"],
        "interval_count": of["recurring"]["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": of["nickname"],
        "product": of["product"],
        "tiers_mode": of["tiers_mode"],
        "transform_usage": of["transform_quantity"],
        "trial_period_days": None,
        "usage_type": of["recurring"]["usage_type"],
    }


def item(of: dict[str, Any] | None = None, quantity: int | None = 1, **fields: Any) -> dict[str, Any]:
    """An item of a subscription; its id is that of its price unless told."""
    of = of or price()
    return {
        "id": f"si_{of['id']}",
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": START,
        "discounts": [],
        "metadata": {},
        "plan": plan(of),
        "price": of,
        "quantity": quantity,
        "subscription": "sub_",
        "tax_rates": [],
    } | fields


def subscription(*items: dict[str, Any], version: str = V2025, **fields: Any) -> dict[str, Any]:
    """A subscription of customer ``u_ada`` with these items, or with one of 20 dollars a month."""
    period = {
        "current_period_start": fields.pop("current_period_start", START),
        "current_period_end": fields.pop("current_period_end", START + MONTH),
    }
    stripe_id = fields.get("id") or new_id("sub")
    listed = [each | {"subscription": stripe_id} for each in items or (item(),)]
    discounts = fields.pop("discounts", [])
    shape: dict[str, Any] = {}
    if version == V2025:
        shape = {
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": START},
            "customer_account": None,
            "discounts": discounts,
        }
        listed = [each | period for each in listed]
    elif version == V2024:
        shape = {"discount": None, "discounts": discounts} | period
    else:
        shape = {"discount": discounts[0] if discounts else None, "plan": listed[0]["plan"]} | period
        shape["quantity"] = listed[0]["quantity"]
        listed = [{key: value for key, value in each.items() if key != "discounts"} for each in listed]
    return {
        "id": stripe_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": START,
        "billing_cycle_anchor_config": None,
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": START,
        "currency": "usd",
        "customer": "cus_ada",
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": listed,
            "has_more": False,
            "total_count": len(listed),
            "url": f"/v1/subscription_items?subscription={stripe_id}",
        },
        "latest_invoice": "in_1SVhYB2eZvKYlo2C",
        "livemode": False,
        "metadata": {"user_id": "u_ada"},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": START,
        "status": "active",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    } | {**shape, **fields}


def coupon(**fields: Any) -> dict[str, Any]:
    """A coupon of 25 percent for ever."""
    return {
        "id": "QUARTER",
        "object": "coupon",
        "amount_off": None,
        "created": START - 900_000,
        "currency": None,
        "duration": "forever",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": "A quarter off",
        "percent_off": 25.0,
        "redeem_by": None,
        "times_redeemed": 1,
        "valid": True,
    } | fields


def discount(of: dict[str, Any] | None = None, version: str = V2025, **fields: Any) -> dict[str, Any]:
    """A discount by a coupon: whole in older versions, by its id below ``source`` in the newest."""
    of = of or coupon()
    how = {"source": {"coupon": of["id"], "type": "coupon"}} if version == V2025 else {"coupon": of}
    return {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": "cus_ada",
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "start": START,
        "subscription": None,
        "subscription_item": None,
    } | {**how, **fields}


def told(verb: str, subject: dict[str, Any], *, at: int = START, version: str = V2025, **fields: Any) -> dict[str, Any]:
    """The event ``customer.subscription.<verb>``; ``previous`` is what it says stood there before."""
    previous = fields.pop("previous", None)
    data = {"object": subject} if previous is None else {"object": subject, "previous_attributes": previous}
    return event(f"customer.subscription.{verb}", subject, created=at, api_version=version, **{"data": data, **fields})


def discount_told(verb: str, subject: dict[str, Any], *, at: int, version: str = V2025) -> dict[str, Any]:
    """The event ``customer.discount.<verb>``."""
    return event(f"customer.discount.{verb}", subject, created=at, api_version=version)
