"""What the events of one payment tell together: who paid how much, and for what.

A payment intent and its checkout session each know a part. Everything is read from all stored events of the payment at
once, so the order in which they came cannot matter. No I/O here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.errors import Parked
from billing.payloads import id_at, text_at, value_at, whole_at
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
        references=_metadata(intent, "user_id", "userId"),
        credits=_metadata(intent, "credits"),
        stripe_customer_id=id_at(intent, "customer"),
        emails=_emails(intent, ("receipt_email",)) | _emails(charge, ("billing_details", "email"), ("receipt_email",)),
        charge_id=id_at({"charge": charge}, "charge"),
        method=_method(intent, charge),
    )


def told_by_session(session: Any, *, at: datetime) -> Told:
    """Read a checkout session that was completed at ``at``."""
    return Told(
        at=at,
        amount=whole_at(session, "amount_total"),
        currency=text_at(session, "currency", limit=3).upper(),
        references=_metadata(session, "user_id", "userId"),
        credits=_metadata(session, "credits"),
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
    """What all events of one payment tell. ``intents`` and ``sessions`` are in the order of their time."""

    intents: Sequence[Told]
    sessions: Sequence[Told]

    @property
    def told(self) -> Sequence[Told]:
        return [*self.intents, *self.sessions]

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
        """When it was paid: by the intent if its event is here, else by the session that was paid."""
        return (self.intents or [told for told in self.sessions if told.is_paid])[0].at

    @property
    def charge_id(self) -> str:
        return next((told.charge_id for told in self.intents if told.charge_id), "")

    @property
    def method(self) -> Method:
        return next((told.method for told in self.intents if told.method.type), UNKNOWN_METHOD)


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


def _metadata(subject: Any, *keys: str) -> frozenset[str]:
    values = [value_at(subject, "metadata", key) for key in keys]
    return frozenset(value if isinstance(value, str) else repr(value) for value in values if value is not None)


def _emails(subject: Any, *paths: Sequence[str]) -> frozenset[str]:
    found = (text_at(subject, *path, limit=254).strip().lower() for path in paths)
    return frozenset(email for email in found if email)


def _method(intent: Any, charge: Any) -> Method:
    details = value_at(charge, "payment_method_details") or value_at(intent, "payment_method")
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
