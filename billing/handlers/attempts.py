"""A payment that has not succeeded, or not yet: kept as far as it is known whose it was. No money moved."""

from dataclasses import replace
from datetime import datetime

from accounts import selectors as accounts
from accounts.models import Customer
from billing import selectors
from billing.errors import Ignored, Parked
from billing.facts import Story, Told, shown, told_by_charge, told_by_intent
from billing.handlers.owners import customer_by_emails
from billing.handlers.stories import happened_at, said_at, story_of, subject_of
from billing.models import PaymentStatus, StripeEvent
from billing.ordering import rank_of
from billing.payloads import text_at, whole_at
from billing.readings.charges import failure_of
from billing.services.attempts import Attempt, book_attempt
from billing.stripe_amounts import minor_units
from billing.stripe_api import Answers

INTENT_ATTEMPTS = (
    "payment_intent.created",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.amount_capturable_updated",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
)
CHARGE_ATTEMPTS = ("charge.pending", "charge.succeeded", "charge.captured", "charge.updated", "charge.failed")
FAILED = ("payment_intent.payment_failed", "charge.failed")


def on_attempt(event: StripeEvent, answers: Answers) -> None:
    """Keep how the payment stands by all that is told of it: pending, failed or canceled. Raises Ignored."""
    if not event.payment_intent_id:
        raise Ignored("No money moved, and the event names no payment.")
    if story_of(event).is_paid:
        raise Ignored("The payment has succeeded since.")
    words = selectors.events_of_payment(
        event.payment_intent_id, types=(*INTENT_ATTEMPTS, *CHARGE_ATTEMPTS), livemode=event.livemode
    )
    words = sorted(words, key=lambda word: (word.stripe_created or word.received_at, rank_of(word.type), word.pk))
    tries = [_told(word) for word in words]
    story = Story(intents=tries, sessions=[])
    customer = _whose(story)
    last, told = _last(words), tries[-1]
    try:
        amount_minor = minor_units(told.amount, told.currency)
    except Parked as reason:
        raise Ignored(f"No money moved. {reason}") from reason
    book_attempt(
        attempt=Attempt(
            user_id=customer.pk,
            stripe_payment_id=event.payment_intent_id,
            stripe_invoice_id=story.invoice_id,
            amount_minor=amount_minor,
            currency=told.currency,
            status=_status(last),
            failure=failure_of(subject_of(last)),
            method=told.method,
            at=_tried_at(words, last),
        )
    )


def _told(event: StripeEvent) -> Told:
    read = told_by_intent if event.type in INTENT_ATTEMPTS else told_by_charge
    subject = subject_of(event)
    # What was to be paid; nothing was received.
    return replace(read(subject, at=event.stripe_created or event.received_at), amount=whole_at(subject, "amount"))


def _last(words: list[StripeEvent]) -> StripeEvent:
    """The word that counts: from a cancellation there is no way back."""
    ends = [word for word in words if _status(word) == PaymentStatus.CANCELED]
    return (ends or words)[-1]


def _tried_at(words: list[StripeEvent], last: StripeEvent) -> datetime:
    """When it came to stand as it does: by an event of Stripe's own, if there is one, and not by what was fetched."""
    heard = [word for word in words if not word.is_snapshot and _status(word) == _status(last)]
    return said_at(heard[-1]) if heard else happened_at(last)


def _status(event: StripeEvent) -> PaymentStatus:
    status = text_at(subject_of(event), "status", limit=64)
    # A charge says so itself, whatever its event is about.
    if event.type in FAILED or status == "failed":
        return PaymentStatus.FAILED
    if not status:
        raise Ignored("No money moved as far as is told, and the event does not say how the payment stands.")
    return PaymentStatus.CANCELED if status == "canceled" else PaymentStatus.PENDING


def _whose(story: Story) -> Customer:
    """Raises Ignored: nothing has to be booked, so nobody needs to find out."""
    customer = _named(story)
    if customer is None:
        raise Ignored("No money moved, and nothing says which customer tried to pay.")
    if customer.demo_mode:
        raise Ignored(f"No money moved, and customer {customer.pk} is a demo customer.")
    return customer


def _named(story: Story) -> Customer | None:
    try:
        reference, stripe_customer_id = story.reference, story.stripe_customer_id
    except Parked as reason:
        raise Ignored(f"No money moved. {reason}") from reason
    if reference is not None:
        customer = accounts.customer_by_reference(reference)
        if customer is None:
            raise Ignored(f'No money moved, and there is no customer with the external id "{shown(reference)}".')
        return customer
    if stripe_customer_id:
        return accounts.customer_by_stripe_id(stripe_customer_id)
    return customer_by_emails(story.emails)
