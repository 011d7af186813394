"""Money that goes back, or that the bank takes: refunds, disputes, and what the charge itself says of its refunds."""

from dataclasses import replace

from billing import selectors
from billing.errors import Ignored, Parked
from billing.handlers.ledger import refusals_park
from billing.handlers.payments import details_of
from billing.handlers.stories import story_of, subject_of
from billing.handlers.words import last_word
from billing.models import Payment, StripeEvent
from billing.models.statuses import DISPUTE_OVER, GOING_BACK, PAID
from billing.ordering import rank_of
from billing.readings.charges import listed_refunds, takes_money, told_by_charge
from billing.readings.disputes import told_by_dispute
from billing.readings.refunds import told_by_refund
from billing.services.money_back import book_dispute, book_refund
from billing.services.payments import complete_payment
from billing.stripe_api import Answers

REFUND_TYPES = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
DISPUTE_TYPES = (
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
)


def on_refund(event: StripeEvent, answers: Answers) -> None:
    """Book a refund as Stripe said last. Raises NotApplied, AnswerNeeded, StripeCallFailed."""
    payment = _paid_payment(event)
    word = last_word(event, answers, types=REFUND_TYPES, kind="refund")
    own = told_by_refund(subject_of(event), at=event.stripe_created or word.at, rank=rank_of(event.type))
    told = told_by_refund(word.subject, at=word.at, rank=word.rank)
    if own.status not in GOING_BACK:
        # From a failure there is no way back, whatever is said later.
        told = own if told.status in GOING_BACK else replace(told, failed_at=own.at)
    with refusals_park():
        book_refund(payment_id=payment.pk, told=told)


def on_charge_refunded(event: StripeEvent, answers: Answers) -> None:
    """Keep how much of a charge went back, and the refunds that stand in it. Raises NotApplied."""
    charge = subject_of(event)
    if not takes_money(charge):
        raise Ignored("The charge took no money, so none went back: what it had reserved was released.")
    payment = _paid_payment(event)
    said_at = event.stripe_created or event.received_at
    if told_by_charge(charge, at=said_at).refunded is None:
        raise Parked("The event does not say how much of the charge went back. Look it up in Stripe.")
    with refusals_park():
        complete_payment(payment=payment, details=details_of(story_of(event)))
        for refund in listed_refunds(charge):
            told = told_by_refund(refund, at=said_at, rank=rank_of(event.type))
            book_refund(payment_id=payment.pk, told=told)


def on_dispute(event: StripeEvent, answers: Answers) -> None:
    """Book a dispute as Stripe said last. Raises NotApplied, AnswerNeeded, StripeCallFailed."""
    payment = _paid_payment(event)
    word = last_word(event, answers, types=DISPUTE_TYPES, kind="dispute")
    own = told_by_dispute(subject_of(event), at=event.stripe_created or word.at, rank=rank_of(event.type))
    told = told_by_dispute(word.subject, at=word.at, rank=word.rank)
    if own.status in DISPUTE_OVER:
        told = replace(told, closed_at=own.at) if told.status in DISPUTE_OVER else own
    with refusals_park():
        book_dispute(payment_id=payment.pk, told=told)


def _paid_payment(event: StripeEvent) -> Payment:
    if not event.payment_intent_id:
        raise Parked("The event names no payment. Look it up in Stripe and correct the credits by hand.")
    payment = selectors.payment_of_intent(event.payment_intent_id)
    if payment is None or payment.status not in PAID:
        raise Parked(
            f"Payment {event.payment_intent_id}, whose money this is about, is not booked. It is applied by itself "
            "once that is: see to the payment's own event, or resend it from Stripe."
        )
    return payment
