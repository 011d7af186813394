"""Subscriptions and invoices as Stripe writes them, in the version of ``stripe_events``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backoffice.demo.acts import Person
from backoffice.demo.plans import Tier

Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an invoice asks ``amount`` minor units for: a plan for a time, or the difference to another one."""

    tier: Tier
    amount: int
    starts: datetime
    ends: datetime
    is_proration: bool = False


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What somebody subscribed to: under which ids, in which currency, how often it is paid."""

    person: Person
    subscription_id: str
    item_id: str
    currency: str
    interval: str
    started: datetime
    discount: Object | None = None

    def discount_at(self, at: datetime) -> Object | None:
        """The discount as long as it lasts."""
        return self.discount if self.discount and seconds(at) < self.discount["end"] else None


def discount(terms_id: str, at: datetime, ends: datetime, percent: int) -> dict[str, Any]:
    """A coupon that takes ``percent`` off until ``ends``."""
    return {
        "id": terms_id,
        "object": "discount",
        "checkout_session": None,
        "coupon": {
            "id": f"WELCOME{percent}",
            "object": "coupon",
            "amount_off": None,
            "created": seconds(at),
            "currency": None,
            "duration": "repeating",
            "duration_in_months": 3,
            "livemode": False,
            "metadata": {},
            "name": f"{percent}% for three months",
            "percent_off": float(percent),
            "valid": True,
        },
        "end": seconds(ends),
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "start": seconds(at),
        "subscription": None,
    }


def subscription(
    terms: Terms, tier: Tier, *, status: str, starts: datetime, ends: datetime, **fields: Any
) -> dict[str, Any]:
    """A subscription to one plan, in the period from ``starts`` to ``ends``."""
    item = {
        "id": terms.item_id,
        "object": "subscription_item",
        "created": seconds(terms.started),
        "metadata": {},
        "price": recurring_price(tier, terms.currency, terms.interval),
        "quantity": 1,
        "subscription": terms.subscription_id,
    }
    return {
        "id": terms.subscription_id,
        "object": "subscription",
        "billing_cycle_anchor": seconds(starts),
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "collection_method": "charge_automatically",
        "created": seconds(terms.started),
        "currency": terms.currency.lower(),
        "current_period_end": seconds(ends),
        "current_period_start": seconds(starts),
        "customer": terms.person.stripe_customer_id,
        "discount": terms.discount_at(starts),
        "ended_at": None,
        "items": {"object": "list", "data": [item], "has_more": False, "total_count": 1},
        "livemode": False,
        "metadata": {"user_id": terms.person.external_id},
        "pause_collection": None,
        "quantity": 1,
        "start_date": seconds(terms.started),
        "status": status,
        "trial_end": None,
        "trial_start": None,
    } | fields


def invoice(
    terms: Terms, lines: Sequence[Line], *, invoice_id: str, number: str, reason: str, at: datetime, **fields: Any
) -> dict[str, Any]:
    """An invoice that was paid by ``payment_intent``, unless told otherwise."""
    subtotal = sum(line.amount for line in lines)
    off = terms.discount_at(at)
    percent = off["coupon"]["percent_off"] if off else 0
    total = subtotal - round(subtotal * percent / 100)
    told = {"status": "paid", "payment_intent": None, "attempt_count": 1} | fields
    is_paid = told["status"] == "paid"
    return {
        "id": invoice_id,
        "object": "invoice",
        "amount_due": total,
        "amount_paid": total if is_paid else 0,
        "amount_remaining": 0 if is_paid else total,
        "attempted": True,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": seconds(at),
        "currency": terms.currency.lower(),
        "customer": terms.person.stripe_customer_id,
        "customer_email": terms.person.email,
        "customer_name": terms.person.name,
        "discount": off,
        "due_date": None,
        "hosted_invoice_url": None,
        "lines": {
            "object": "list",
            "data": [_line(terms, line, f"{invoice_id}_{place}") for place, line in enumerate(lines)],
            "has_more": False,
            "total_count": len(lines),
        },
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": number,
        "paid": is_paid,
        "period_end": seconds(at),
        "period_start": seconds(at),
        "status_transitions": {
            "finalized_at": seconds(at),
            "marked_uncollectible_at": None,
            "paid_at": seconds(at) if is_paid else None,
            "voided_at": None,
        },
        "subscription": terms.subscription_id,
        "subtotal": subtotal,
        "tax": None,
        "total": total,
    } | told


def seconds(at: datetime) -> int:
    """A moment as Stripe writes it."""
    return int(at.timestamp())


def _line(terms: Terms, line: Line, line_id: str) -> dict[str, Any]:
    return {
        "id": f"il_{line_id}",
        "object": "line_item",
        "amount": line.amount,
        "currency": terms.currency.lower(),
        "description": f"1 x {line.tier.name}",
        "livemode": False,
        "metadata": {},
        "period": {"end": seconds(line.ends), "start": seconds(line.starts)},
        "price": recurring_price(line.tier, terms.currency, terms.interval),
        "proration": line.is_proration,
        "quantity": 1,
        "subscription": terms.subscription_id,
        "subscription_item": terms.item_id,
        "type": "subscription",
    }


def recurring_price(tier: Tier, currency: str, interval: str) -> dict[str, Any]:
    """The price of a plan."""
    amount = tier.prices[currency, interval]
    return {
        "id": tier.price_id(currency, interval),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "currency": currency.lower(),
        "livemode": False,
        "metadata": {},
        "nickname": None,
        "product": tier.product_id,
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
