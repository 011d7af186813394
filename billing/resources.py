"""What can be listed at Stripe, and what an object found there would be as an event. No I/O here."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing.models.events import SNAPSHOT
from billing.payloads import stripe_id, text_at, value_at
from billing.readings.customers import named_users

DIGEST_LENGTH = 16
# These change each time they are read, without anything having happened.
FLEETING = frozenset(["receipt_url", "hosted_invoice_url", "invoice_pdf", "client_secret"])
CLOSED_DISPUTES = frozenset(["won", "lost", "warning_closed", "prevented"])


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A list of Stripe's. ``event_type`` is what Stripe would call the event that led to a state; empty for none."""

    key: str
    label: str
    path: str
    event_type: Callable[[Mapping[str, Any]], str]
    expand: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    # Whether ``since`` bounds it. What is few and goes on changing for years is always read whole.
    is_bounded: bool = True
    # All that is kept of an object; empty for the whole.
    fields: Sequence[str] = ()
    # Of one customer, where Stripe can list them.
    by_customer: bool = False

    def parameters(self, *, since: datetime | None, customer: str = "") -> dict[str, Any]:
        """How it is asked for: all of it, or what was created since ``since``, or what is of one customer."""
        asked: dict[str, Any] = {"limit": 100, **self.filters}
        if self.expand:
            asked["expand"] = [f"data.{path}" for path in self.expand]
        if since is not None and self.is_bounded:
            asked["created"] = {"gte": int(since.timestamp())}
        if customer:
            asked["customer"] = customer
        return asked

    def told_of(self, subject: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is kept of an object."""
        return {name: subject[name] for name in self.fields if name in subject} if self.fields else subject


def _intent_type(intent: Mapping[str, Any]) -> str:
    status = text_at(intent, "status", limit=64)
    if status == "requires_payment_method" and value_at(intent, "last_payment_error"):
        return "payment_intent.payment_failed"
    if status == "requires_capture":
        return "payment_intent.amount_capturable_updated"
    told = status if status in ("succeeded", "canceled", "processing", "requires_action") else "created"
    return f"payment_intent.{told}"


def _session_type(session: Mapping[str, Any]) -> str:
    # An open session is no news: its customer may still be typing.
    ends = {"complete": "checkout.session.completed", "expired": "checkout.session.expired"}
    return ends.get(text_at(session, "status", limit=64), "")


def _invoice_type(invoice: Mapping[str, Any]) -> str:
    ends = {"paid": "invoice.paid", "void": "invoice.voided", "uncollectible": "invoice.marked_uncollectible"}
    return ends.get(text_at(invoice, "status", limit=64), "invoice.updated")


def _subscription_type(subscription: Mapping[str, Any]) -> str:
    return f"customer.subscription.{'deleted' if subscription.get('status') == 'canceled' else 'updated'}"


def _refund_type(refund: Mapping[str, Any]) -> str:
    return f"refund.{'failed' if refund.get('status') == 'failed' else 'updated'}"


def _dispute_type(dispute: Mapping[str, Any]) -> str:
    return f"charge.dispute.{'closed' if dispute.get('status') in CLOSED_DISPUTES else 'updated'}"


def _customer_type(customer: Mapping[str, Any]) -> str:
    # Only whose it is matters here.
    return "customer.updated" if named_users(value_at(customer, "metadata")) else ""


def _own_type(event: Mapping[str, Any]) -> str:
    return text_at(event, "type", limit=255)


def _always(event_type: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda subject: event_type


# Events first, in Stripe's own words and order, as far back as Stripe keeps them (30 days): they also tell what became
# of older objects. Then whom and what the money is for, then the money, then what went back of it.
EVENTS = Resource(key="events", label="Events", path="/v1/events", event_type=_own_type)
CUSTOMERS = Resource(
    key="customers",
    label="Customers",
    path="/v1/customers",
    event_type=_customer_type,
    # Not who they are: they may have been promised that it is forgotten.
    fields=("id", "object", "created", "livemode", "metadata"),
)
PAYMENTS = Resource(
    key="payments",
    label="Payments",
    path="/v1/payment_intents",
    event_type=_intent_type,
    expand=["latest_charge.balance_transaction"],
    by_customer=True,
)
REFUNDS = Resource(key="refunds", label="Refunds", path="/v1/refunds", event_type=_refund_type)
DISPUTES = Resource(key="disputes", label="Disputes", path="/v1/disputes", event_type=_dispute_type)
RESOURCES: Mapping[str, Resource] = {
    resource.key: resource
    for resource in (
        EVENTS,
        CUSTOMERS,
        Resource(
            key="products",
            label="Products",
            path="/v1/products",
            event_type=_always("product.updated"),
            is_bounded=False,
        ),
        Resource(
            key="prices", label="Prices", path="/v1/prices", event_type=_always("price.updated"), is_bounded=False
        ),
        Resource(
            key="subscriptions",
            label="Subscriptions",
            path="/v1/subscriptions",
            event_type=_subscription_type,
            filters={"status": "all"},
            is_bounded=False,
            by_customer=True,
        ),
        Resource(key="invoices", label="Invoices", path="/v1/invoices", event_type=_invoice_type, by_customer=True),
        PAYMENTS,
        Resource(
            key="sessions",
            label="Checkout sessions",
            path="/v1/checkout/sessions",
            event_type=_session_type,
            expand=["line_items"],
            by_customer=True,
        ),
        REFUNDS,
        DISPUTES,
    )
}


def fingerprint(subject: Mapping[str, Any]) -> str:
    """The same for the same state of an object, however often it is read."""
    steady = json.dumps(_steady(subject), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(steady.encode(errors="surrogatepass")).hexdigest()[:DIGEST_LENGTH]


def row_prefix(subject: Mapping[str, Any]) -> str:
    """How the id of every event begins that we make of this state of an object."""
    return f"{SNAPSHOT}{subject['id']}_{fingerprint(subject)}"


def as_event(
    subject: Mapping[str, Any], *, event_type: str, at: datetime, api_version: str, livemode: bool
) -> dict[str, Any]:
    """The event that tells how an object stood at ``at``, in the shape of Stripe's own."""
    moment = int(at.timestamp())
    told = subject.get("livemode")
    return {
        # With the moment: an object may come back to a state that it had before.
        "id": f"{row_prefix(subject)}_{moment}",
        "object": "event",
        "api_version": api_version,
        "created": moment,
        "data": {"object": subject},
        # Refunds do not say.
        "livemode": told if isinstance(told, bool) else livemode,
        "type": event_type,
    }


def ids_in(subject: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the object, and of the customer and the payment that it names."""
    for named in (subject, subject.get("customer"), subject.get("payment_intent")):
        if found := stripe_id(named.get("id") if isinstance(named, Mapping) else named):
            yield found


def _steady(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _steady(inner) for key, inner in value.items() if key not in FLEETING}
    if isinstance(value, list):
        return [_steady(inner) for inner in value]
    return value
