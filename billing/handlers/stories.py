"""All that the stored events of a payment tell, gathered."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from billing import selectors
from billing.facts import Story, Told, told_by_bill, told_by_charge, told_by_intent, told_by_session
from billing.models import StripeEvent
from billing.payloads import id_at, moment_at, value_at
from billing.readings import charges
from billing.readings.charges import ChargeTold

INTENT_TYPES = ("payment_intent.succeeded",)
SESSION_TYPES = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
# Said when the money came in; the others say later how a charge stands.
CHARGED_TYPES = ("charge.succeeded", "charge.captured")
MONEY_TYPES = (*INTENT_TYPES, *SESSION_TYPES, *CHARGED_TYPES)
CHARGE_TYPES = (*CHARGED_TYPES, "charge.updated", "charge.refunded")
BILL_TYPES = ("invoice_payment.paid", "invoice.paid", "invoice.payment_succeeded")
# Of the family of an invoice, what knows whose it is and of which subscription.
INVOICE_TYPES = (
    *BILL_TYPES,
    "invoice.created",
    "invoice.finalized",
    "invoice.payment_failed",
    "invoice.updated",
    "checkout.session.completed",
)


def story_of(event: StripeEvent) -> Story:
    """What is told of the payment of this event."""
    types = (*INTENT_TYPES, *SESSION_TYPES, *CHARGE_TYPES, *BILL_TYPES)
    known = selectors.events_of_payment(event.payment_intent_id, types=types, livemode=event.livemode)
    return _story(known, _bills(known, event.livemode))


def story_told_by(events: Sequence[StripeEvent]) -> Story:
    """What these events of one payment tell by themselves; nothing else is read."""
    known = [event for event in events if event.payload is not None]
    return _story(known, [event for event in known if event.type in BILL_TYPES])


def _story(known: Sequence[StripeEvent], bills: Sequence[StripeEvent]) -> Story:
    is_heard = any(each.type in MONEY_TYPES and not each.is_snapshot for each in known)
    return Story(
        intents=[_intent(each, is_heard=is_heard) for each in known if each.type in INTENT_TYPES],
        sessions=[_told(told_by_session, each) for each in known if each.type in SESSION_TYPES],
        charges=[_charge(each) for each in known if each.type in CHARGE_TYPES and _takes_money(each)],
        bills=[_told(told_by_bill, each) for each in bills],
        charged=[said for each in known for said in _said_of_charges(each)],
    )


def subject_of(event: StripeEvent) -> Any:
    """The object that an event tells of."""
    return value_at(event.payload, "data", "object")


def said_at(event: StripeEvent) -> datetime:
    """When Stripe said it."""
    return event.stripe_created or event.received_at


def happened_at(event: StripeEvent) -> datetime:
    """When that happened of which an intent's event tells; of what was fetched, by its charge."""
    if not event.is_snapshot:
        return said_at(event)
    intent = subject_of(event)
    known = (moment_at(intent, *path) for path in (("latest_charge", "created"), ("canceled_at",), ("created",)))
    return next((moment for moment in known if moment), None) or said_at(event)


def _told(read: Callable[..., Told], event: StripeEvent) -> Told:
    return read(subject_of(event), at=said_at(event))


def _intent(event: StripeEvent, *, is_heard: bool) -> Told:
    """``is_heard``: an event of Stripe's own says when the money came in, and what was fetched need not."""
    return told_by_intent(subject_of(event), at=said_at(event) if is_heard else happened_at(event))


def _takes_money(event: StripeEvent) -> bool:
    return charges.takes_money(subject_of(event))


def _charge(event: StripeEvent) -> Told:
    charge, is_the_moment = subject_of(event), event.type in CHARGED_TYPES
    charged_at = None if is_the_moment else moment_at(charge, "created")
    return told_by_charge(charge, at=charged_at or said_at(event))


def _said_of_charges(event: StripeEvent) -> Iterator[ChargeTold]:
    subject = subject_of(event)
    if event.type in CHARGE_TYPES:
        found = [subject]
    elif event.type in INTENT_TYPES:
        listed = value_at(subject, "charges", "data")
        found = [value_at(subject, "latest_charge"), *(listed if isinstance(listed, list) else [])]
    else:
        found = []
    for charge in found:
        if charges.takes_money(charge):
            yield charges.told_by_charge(charge, at=said_at(event))


def _bills(known: list[StripeEvent], livemode: bool) -> list[StripeEvent]:
    told = [event for event in known if event.type in BILL_TYPES]
    # Intents and charges named their invoice until 2025-03-31; since then its payment does.
    invoices = {id_at(subject_of(event), "invoice") for event in known} | {event.invoice_id for event in told}
    return [
        event
        for invoice_id in sorted(invoices - {""})
        for event in selectors.events_of_invoice(invoice_id, types=INVOICE_TYPES, livemode=livemode)
    ]
