"""What Stripe says of an invoice, in the shape of any API version. No I/O here.

Until 2025-03-31 an invoice names its subscription itself and its lines carry their price whole; since then both are
named below ``parent`` and ``pricing``. Amounts are in Stripe's units.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.models import Interval, InvoiceStatus
from billing.payloads import id_at, moment_at, text_at, value_at, whole_at
from billing.readings.customers import named_users
from billing.readings.numbers import LARGEST_COUNT

# What the column holds.
LARGEST_ATTEMPT = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line. Its ids, ``interval`` and ``unit_amount`` are empty where Stripe leaves them out."""

    id: str
    price_id: str
    product_id: str
    quantity: int
    amount: int
    unit_amount: int | None
    interval: str
    interval_count: int
    is_metered: bool
    is_proration: bool
    # Of a proration: it gives back what was not used of what was there before.
    is_credit: bool
    subscription_id: str
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class InvoiceTold:
    """One invoice, as one event tells it. ``status`` is empty if it is none that we know."""

    id: str
    status: str
    number: str
    billing_reason: str
    currency: str
    subtotal: int
    tax: int
    total: int
    amount_due: int
    amount_paid: int
    hosted_url: str
    attempt_count: int
    next_attempt_at: datetime | None
    issued_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    subscription_id: str
    stripe_customer_id: str
    email: str
    references: frozenset[str]
    own_period: tuple[datetime | None, datetime | None]
    lines: tuple[Line, ...]
    has_more_lines: bool

    @property
    def advance_lines(self) -> Sequence[Line]:
        """The lines of a subscription that are for a time still to come; what was used is billed afterwards."""
        return [
            line
            for line in self.lines
            if line.subscription_id
            and not line.is_metered
            and line.starts_at is not None
            and line.ends_at is not None
            and (self.issued_at is None or line.ends_at > self.issued_at)
        ]

    def with_lines(self, lines: Iterable[Any]) -> "InvoiceTold":
        """The same with all of its lines, which the event leaves out if there are many."""
        return replace(self, lines=tuple(_line(line, self.subscription_id) for line in lines), has_more_lines=False)

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """What the subscription is paid for; of an invoice without one, what it says itself."""
        advance = self.advance_lines
        regular = [line for line in advance if not line.is_proration] or advance
        ends = [line.ends_at for line in regular if line.ends_at]
        if not ends:
            return self.own_period
        end = max(ends)
        return min(line.starts_at for line in regular if line.starts_at and line.ends_at == end), end


def read_invoice(invoice: Any) -> InvoiceTold:
    """Read an invoice, whole."""
    subscription_id = _subscription_id(invoice)
    lines = _items(invoice, "lines", "data")
    status = text_at(invoice, "status", limit=16)
    return InvoiceTold(
        id=id_at(invoice, "id"),
        status=status if status in InvoiceStatus.values else "",
        number=text_at(invoice, "number", limit=64),
        billing_reason=text_at(invoice, "billing_reason", limit=64),
        currency=text_at(invoice, "currency", limit=3).upper(),
        subtotal=whole_at(invoice, "subtotal") or 0,
        tax=_tax(invoice),
        total=whole_at(invoice, "total") or 0,
        amount_due=whole_at(invoice, "amount_due") or 0,
        amount_paid=whole_at(invoice, "amount_paid") or 0,
        hosted_url=_address(text_at(invoice, "hosted_invoice_url", limit=1000)),
        attempt_count=min(max(0, whole_at(invoice, "attempt_count") or 0), LARGEST_ATTEMPT),
        next_attempt_at=moment_at(invoice, "next_payment_attempt"),
        issued_at=moment_at(invoice, "created"),
        due_at=moment_at(invoice, "due_date"),
        paid_at=moment_at(invoice, "status_transitions", "paid_at"),
        subscription_id=subscription_id,
        stripe_customer_id=id_at(invoice, "customer"),
        email=text_at(invoice, "customer_email", limit=254).strip().lower(),
        references=_references(invoice, lines),
        own_period=(moment_at(invoice, "period_start"), moment_at(invoice, "period_end")),
        lines=tuple(_line(line, subscription_id) for line in lines),
        has_more_lines=value_at(invoice, "lines", "has_more") is True,
    )


def _items(value: Any, *path: str | int) -> list[Any]:
    found = value_at(value, *path)
    return found if isinstance(found, list) else []


def _subscription_id(invoice: Any) -> str:
    return id_at(invoice, "subscription") or id_at(invoice, "parent", "subscription_details", "subscription")


def _tax(invoice: Any) -> int:
    if (tax := whole_at(invoice, "tax")) is not None:
        return tax
    taxes = _items(invoice, "total_taxes") or _items(invoice, "total_tax_amounts")
    return sum(whole_at(tax, "amount") or 0 for tax in taxes)


def _address(text: str) -> str:
    return text if text.startswith("https://") else ""


def _references(invoice: Any, lines: Iterable[Any]) -> frozenset[str]:
    """The users whom the metadata names: that of the invoice, or of its subscription, of which lines have a copy."""
    told = [
        value_at(invoice, "metadata"),
        value_at(invoice, "subscription_details", "metadata"),
        value_at(invoice, "parent", "subscription_details", "metadata"),
        *(value_at(line, "metadata") for line in lines),
    ]
    return frozenset().union(*(named_users(metadata) for metadata in told))


def _line(line: Any, subscription_id: str) -> Line:
    # Of the newer shape: an item of the subscription, or one that was added to the invoice, such as a proration.
    details = value_at(line, "parent", "subscription_item_details") or value_at(line, "parent", "invoice_item_details")
    # Of the older one: the price whole, and before that a plan.
    price = value_at(line, "price") or value_at(line, "plan")
    recurring = value_at(price, "recurring") or price
    interval, count = text_at(recurring, "interval", limit=8), whole_at(recurring, "interval_count")
    credited = value_at(details or line, "proration_details", "credited_items")
    amount = whole_at(line, "amount") or 0
    return Line(
        id=id_at(line, "id"),
        price_id=id_at(line, "pricing", "price_details", "price") or id_at({"price": price}, "price"),
        product_id=id_at(line, "pricing", "price_details", "product") or id_at(price, "product"),
        quantity=_quantity(line),
        amount=amount,
        unit_amount=_unit_amount(line, price),
        interval=interval if interval in Interval.values else "",
        interval_count=count if count is not None and 1 <= count <= LARGEST_COUNT else 1,
        is_metered=text_at(recurring, "usage_type", limit=16) == "metered",
        is_proration=value_at(details, "proration") is True or value_at(line, "proration") is True,
        is_credit=amount < 0 or isinstance(credited, dict),
        subscription_id=_line_subscription(line, details, subscription_id),
        starts_at=moment_at(line, "period", "start"),
        ends_at=moment_at(line, "period", "end"),
    )


def _line_subscription(line: Any, details: Any, subscription_id: str) -> str:
    named = id_at(line, "subscription") or id_at(details, "subscription")
    is_item = text_at(line, "type", limit=32) == "subscription"
    return named or (subscription_id if is_item else "")


def _quantity(line: Any) -> int:
    quantity = whole_at(line, "quantity")
    return 1 if quantity is None else max(0, quantity)


def _unit_amount(line: Any, price: Any) -> int | None:
    """What one of it costs, in whole units: only whether it costs anything is asked."""
    stated = value_at(line, "pricing", "unit_amount_decimal")
    if isinstance(stated, str):
        return 0 if not stated.strip("0.") else 1
    for key in ("unit_amount", "amount"):
        if (amount := whole_at(price, key)) is not None:
            return amount
    return None
