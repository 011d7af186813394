"""What the events of one payment tell together: who paid how much, and for what.

A payment intent, its charge, its checkout session and the invoice that it pays each know a part. Everything is read
from all stored events of the payment at once, so the order in which they came cannot matter. No I/O here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.errors import Parked
from billing.payloads import id_at, text_at, texts_at, value_at, whole_at
from billing.readings.charges import ChargeTold, Fee, Refunded, last_refunded, taken
from billing.readings.customers import named_users
from billing.stripe_amounts import minor_units

SHOWN_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class LineItem:
    price_id: str
    quantity: int | None


@dataclass(frozen=True, kw_only=True)
class Method:
    """How it was paid: ``card``, ``visa``, ``4242``; each empty if unknown."""

    type: str = ""
    brand: str = ""
    last4: str = ""

    def columns(self) -> dict[str, str]:
        """As they stand in a payment."""
        return {
            "payment_method_type": self.type,
            "payment_method_brand": self.brand,
            "payment_method_last4": self.last4,
        }


UNKNOWN_METHOD = Method()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one event tells. ``amount`` is in Stripe's units; ``line_items`` is None if the event leaves them out."""

    at: datetime
    amount: int | None
    currency: str
    references: frozenset[str]
    credits: frozenset[str]
    stripe_customer_id: str
    emails: frozenset[str]
    charge_id: str = ""
    method: Method = UNKNOWN_METHOD
    invoice_id: str = ""
    subscription_id: str = ""
    session_id: str = ""
    is_paid: bool = True
    line_items: tuple[LineItem, ...] | None = None


def told_by_intent(intent: Any, *, at: datetime) -> Told:
    """Read a payment intent that succeeded at ``at``, in the shape of any API version."""
    # Until 2022-11-15 the charges stood in a list; since then there is the latest one, by id or whole.
    charge = value_at(intent, "latest_charge") or value_at(intent, "charges", "data", 0)
    return Told(
        at=at,
        amount=whole_at(intent, "amount_received" if "amount_received" in intent else "amount"),
        currency=text_at(intent, "currency", limit=3).upper(),
        references=named_users(value_at(intent, "metadata")),
        credits=texts_at(value_at(intent, "metadata"), "credits"),
        stripe_customer_id=id_at(intent, "customer"),
        emails=_emails(intent, ("receipt_email",)) | _emails(charge, ("billing_details", "email"), ("receipt_email",)),
        charge_id=id_at({"charge": charge}, "charge"),
        invoice_id=id_at(intent, "invoice"),
        method=_method(intent, charge),
    )


def told_by_charge(charge: Any, *, at: datetime) -> Told:
    """Read a charge that took money, or was to take it, as it was at ``at``. It carries what its intent knew."""
    return Told(
        at=at,
        amount=taken(charge),
        currency=text_at(charge, "currency", limit=3).upper(),
        references=named_users(value_at(charge, "metadata")),
        credits=texts_at(value_at(charge, "metadata"), "credits"),
        stripe_customer_id=id_at(charge, "customer"),
        emails=_emails(charge, ("billing_details", "email"), ("receipt_email",)),
        charge_id=id_at(charge, "id"),
        invoice_id=id_at(charge, "invoice"),
        method=_method(None, charge),
    )


def told_by_bill(bill: Any, *, at: datetime) -> Told:
    """Read an invoice, the payment of one, or the session that began its subscription: whose is what it was paid with.

    A subscription's own metadata stand in its invoices, since 2025-03-31 below their parent.
    """
    is_invoice = text_at(bill, "object", limit=64) == "invoice"
    old, new = value_at(bill, "subscription_details"), value_at(bill, "parent", "subscription_details")
    return Told(
        at=at,
        amount=None,
        currency="",
        references=frozenset().union(*(named_users(value_at(part, "metadata")) for part in (bill, old, new))),
        credits=frozenset(),
        stripe_customer_id=id_at(bill, "customer"),
        emails=_emails(bill, ("customer_email",), ("customer_details", "email")),
        invoice_id=id_at(bill, "id" if is_invoice else "invoice"),
        subscription_id=id_at(bill, "subscription") or id_at(new, "subscription"),
        is_paid=False,
    )


def told_by_session(session: Any, *, at: datetime) -> Told:
    """Read a checkout session that was completed at ``at``."""
    return Told(
        at=at,
        amount=whole_at(session, "amount_total"),
        currency=text_at(session, "currency", limit=3).upper(),
        references=named_users(value_at(session, "metadata")),
        credits=texts_at(value_at(session, "metadata"), "credits"),
        stripe_customer_id=id_at(session, "customer"),
        emails=_emails(session, ("customer_details", "email"), ("customer_email",)),
        session_id=id_at(session, "id"),
        is_paid=text_at(session, "payment_status", limit=64) == "paid",
        line_items=_line_items(session),
    )


def line_item(item: Any) -> LineItem:
    """Read a line item; its price is given by id or whole."""
    return LineItem(price_id=id_at(item, "price"), quantity=whole_at(item, "quantity"))


@dataclass(frozen=True)
class Story:
    """What all events of one payment tell, each kind in the order of their time.

    ``bills`` tell of the invoice that it pays; ``charged`` is what was said of the charge itself.
    """

    intents: Sequence[Told]
    sessions: Sequence[Told]
    charges: Sequence[Told] = ()
    bills: Sequence[Told] = ()
    charged: Sequence[ChargeTold] = ()

    @property
    def told(self) -> Sequence[Told]:
        return [*self.intents, *self.charges, *self.sessions, *self.bills]

    @property
    def is_paid(self) -> bool:
        """Whether anything says that the money came in."""
        return any(told.is_paid for told in self.told)

    @property
    def reference(self) -> str | None:
        """The customer whom the metadata names. Raises Parked if it names several."""
        return _one("the customer", {value for told in self.told for value in told.references})

    @property
    def credits(self) -> str | None:
        """The credits that the metadata names. Raises Parked if it names several numbers."""
        return _one("the credits", {value for told in self.told for value in told.credits})

    @property
    def stripe_customer_id(self) -> str | None:
        """The customer of Stripe's. Raises Parked if there are several."""
        return _one("the Stripe customer", {told.stripe_customer_id for told in self.told if told.stripe_customer_id})

    @property
    def emails(self) -> frozenset[str]:
        """Every address that the payment came with, in small letters."""
        return frozenset(email for told in self.told for email in told.emails)

    @property
    def amount(self) -> tuple[int, str]:
        """Our minor units and the currency. Raises Parked if unknown, or if the events contradict each other."""
        amounts = {(told.amount, told.currency) for told in self.told if told.is_paid}
        if len(amounts) > 1:
            raise Parked(_contradiction("the amount", [f"{amount} {currency}" for amount, currency in amounts]))
        ((amount, currency),) = amounts
        return minor_units(amount, currency), currency

    @property
    def paid_at(self) -> datetime:
        """When it was paid: the first moment at which anything says so."""
        return min(told.at for told in self.told if told.is_paid)

    @property
    def charge_id(self) -> str:
        return next((told.charge_id for told in [*self.charges, *self.intents] if told.charge_id), "")

    @property
    def method(self) -> Method:
        # Whoever knows the digits knows more than whoever knows the kind.
        known = [told.method for told in (*self.intents, *self.charges)]
        return max(known, key=lambda method: (bool(method.last4), bool(method.type)), default=UNKNOWN_METHOD)

    @property
    def invoice_id(self) -> str:
        """The invoice that it pays, if any."""
        return next((told.invoice_id for told in self.told if told.invoice_id), "")

    @property
    def subscription_id(self) -> str:
        """The subscription of that invoice, if it is known to have one."""
        return next((told.subscription_id for told in self.bills if told.subscription_id), "")

    @property
    def fee(self) -> Fee | None:
        return next((told.fee for told in reversed(self.charged) if told.fee), None)

    @property
    def last_refunded(self) -> Refunded | None:
        """What the charge said last of how much of it went back."""
        return last_refunded(self.charged)


def shown(text: str) -> str:
    """Foreign text as a reason quotes it."""
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


def _one(what: str, values: Iterable[str]) -> str | None:
    found = sorted(values)
    if len(found) > 1:
        raise Parked(_contradiction(what, found))
    return found[0] if found else None


def _contradiction(what: str, values: Iterable[str]) -> str:
    several = " and ".join(shown(value) for value in sorted(values))
    return (
        f"The events of this payment contradict each other about {what}: {several}. "
        "Compare them with the payment in Stripe and correct the customer's credits by hand."
    )


def _emails(subject: Any, *paths: Sequence[str]) -> frozenset[str]:
    found = (text_at(subject, *path, limit=254).strip().lower() for path in paths)
    return frozenset(email for email in found if email)


def _method(intent: Any, charge: Any) -> Method:
    # By its id alone it says nothing.
    details = next(
        (
            found
            for found in (
                value_at(charge, "payment_method_details"),
                value_at(intent, "payment_method"),
                value_at(intent, "last_payment_error", "payment_method"),
            )
            if isinstance(found, dict)
        ),
        None,
    )
    types = value_at(intent, "payment_method_types")
    kind = text_at(details, "type", limit=64)
    if not kind and isinstance(types, list) and len(types) == 1:
        kind = text_at(types, 0, limit=64)
    return Method(
        type=kind,
        brand=text_at(details, kind, "brand", limit=64) if kind else "",
        last4=text_at(details, kind, "last4", limit=4) if kind else "",
    )


def _line_items(session: Any) -> tuple[LineItem, ...] | None:
    items = value_at(session, "line_items", "data")
    # A list that goes on elsewhere is not the whole order.
    if not isinstance(items, list) or value_at(session, "line_items", "has_more"):
        return None
    return tuple(line_item(item) for item in items)
