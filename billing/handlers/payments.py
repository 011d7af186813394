"""A payment that succeeded, told by its intent, charge, session or invoice: whose it is and what for."""

from decimal import Decimal
from typing import Never

from accounts.models import Customer
from accounts.selectors import family_of
from backoffice.lib.money import format_credits
from billing import selectors
from billing.errors import Ignored, Parked
from billing.facts import Story, shown
from billing.handlers.attempts import on_attempt
from billing.handlers.customers import on_session_without_purchase
from billing.handlers.ledger import refusals_park
from billing.handlers.orders import credits_of_invoice, credits_of_orders, last_of_invoice
from billing.handlers.stories import SESSION_TYPES, story_of, subject_of
from billing.handlers.whose import customer_by_stripe, named_customer, wait_for_session
from billing.models import Payment, StripeEvent
from billing.models.statuses import PAID
from billing.payloads import text_at
from billing.readings.charges import takes_money
from billing.readings.invoices import read_invoice
from billing.selectors.reconciliation import is_settled_by_hand
from billing.services.payments import PaymentDetails, Purchase, book_payment, complete_payment
from billing.stripe_amounts import converted
from billing.stripe_api import Answers
from credits.amounts import parse_amount
from credits.errors import InvalidAmount


def on_intent_succeeded(event: StripeEvent, answers: Answers) -> None:
    """Book the payment. One that does not say its credits, or names nobody, waits for its session. Raises NotApplied.

    The wait ends: a payment that was made without a checkout never gets a session, so after WAIT_FOR_SESSION the sweep
    takes it up and it is booked by what Stripe knows of the customer.
    """
    _apply(event, answers)


def on_session_completed(event: StripeEvent, answers: Answers) -> None:
    """Book the payment of a session in which something was paid. Raises NotApplied."""
    session = subject_of(event)
    if text_at(session, "mode", limit=64) in ("subscription", "setup"):
        on_session_without_purchase(event)
        return
    status = text_at(session, "payment_status", limit=64)
    if status == "unpaid":
        raise Ignored("The session is not paid yet. Stripe sends another event once it is.")
    if status == "no_payment_required":
        raise Parked("The session was free, so there is no payment to book. If credits were promised, gift them.")
    if status != "paid":
        raise Parked("The session does not say whether it was paid. Look it up in Stripe.")
    _apply(event, answers)


def on_charge(event: StripeEvent, answers: Answers) -> None:
    """Book the payment of a charge that took money; one that only reserves it is a try. Raises NotApplied."""
    if not takes_money(subject_of(event)):
        on_attempt(event, answers)
        return
    try:
        _apply(event, answers)
    except Parked as reason:
        if story_of(event).intents:
            # One of them is enough to ask somebody about.
            raise Ignored(f"The event of its payment intent is parked for the same: {reason}") from reason
        raise


def on_charge_changed(event: StripeEvent, answers: Answers) -> None:
    """Keep what a charge says later of a payment that is booked: its fee, what of it went back. Raises NotApplied."""
    payment = selectors.payment_of_intent(event.payment_intent_id)
    if payment and payment.status in PAID and takes_money(subject_of(event)):
        # Not whose it is, or what for: that may be long ago, and its customer merged or forgotten since.
        with refusals_park():
            complete_payment(payment=payment, details=details_of(story_of(event)))
    else:
        on_charge(event, answers)


def on_invoice_payment(event: StripeEvent, answers: Answers) -> None:
    """Book the payment that pays an invoice, as Stripe tells of it since 2025-03-31. Raises NotApplied."""
    if not event.payment_intent_id:
        raise Ignored("The invoice was not paid by a payment of Stripe's.")
    _apply(event, answers)


def _apply(event: StripeEvent, answers: Answers) -> None:
    if not event.payment_intent_id:
        raise Parked("The event names no payment. Look it up in Stripe.")
    story = story_of(event)
    if not story.is_paid:
        wait_for_session(event, "Its payment is not told of yet.")
        raise Parked("The payment itself was never told of. Resend its payment_intent.succeeded from Stripe.")
    amount_minor, currency = story.amount
    named, credits = named_customer(story), _named_credits(story)
    details = details_of(story, linking=named is not None)
    payment = selectors.payment_of_intent(event.payment_intent_id)
    if payment and payment.status in PAID:
        _check_agreement(payment, named, credits)
        if credits is None and not payment.credits_purchased and event.type in SESSION_TYPES:
            _refuse_late_order(story, answers)
        with refusals_park():
            complete_payment(payment=payment, details=details)
        return
    if is_settled_by_hand(event.payment_intent_id):
        # Stripe has more to say of every payment, such as its fee hours later.
        raise Ignored("Its payment was settled by hand. If it is to be booked after all, replay this event.")
    if credits is None:
        credits = _ordered_credits(event, story, answers)
    purchase = Purchase(
        user_id=(named or customer_by_stripe(event, story)).pk,
        stripe_payment_id=event.payment_intent_id,
        amount_minor=amount_minor,
        currency=currency,
        credits=credits,
        details=details,
    )
    with refusals_park():
        book_payment(purchase=purchase)


def details_of(story: Story, *, linking: bool = False) -> PaymentDetails:
    """What is told beside whose and what for. ``linking``: Stripe's id of the customer is worth remembering."""
    refunded = story.last_refunded
    amount = refunded.amount if refunded else 0
    refunded_minor = converted(amount, story.amount[1])
    if refunded_minor is None:
        raise Parked(f"{amount} is no amount that can have gone back of this payment. Look its charge up in Stripe.")
    return PaymentDetails(
        paid_at=story.paid_at,
        charge_id=story.charge_id,
        invoice_id=story.invoice_id,
        method=story.method,
        fee=story.fee,
        charge_refunded_minor=refunded_minor,
        charge_refunded_at=refunded.since if refunded and refunded_minor else None,
        charge_as_of=refunded.as_of if refunded else None,
        stripe_customer_id=(story.stripe_customer_id or "") if linking else "",
    )


def _check_agreement(payment: Payment, named: Customer | None, credits: Decimal | None) -> None:
    """Raise Parked if the payment was booked, from another event, in a way that this one denies."""
    agrees = named is None or payment.user_id in family_of(named.pk)
    whose = "" if agrees or named is None else f" for customer {named.pk}"
    what = "" if credits is None or credits == payment.credits_purchased else f" for {format_credits(credits)} credits"
    if whose or what:
        raise Parked(
            f"This payment was booked for customer {payment.user_id} and "
            f"{format_credits(payment.credits_purchased)} credits, but this event says it is{whose}{what}. "
            "Compare it with the payment in Stripe and correct the credits by hand."
        )


def _refuse_late_order(story: Story, answers: Answers) -> Never:
    """Raise Parked for a session whose payment was booked with nothing, since it had not come in its time."""
    credits = credits_of_orders(story.sessions, answers)
    raise Parked(
        f"This payment was booked with 0 credits before its session was told of, which sells {format_credits(credits)} "
        "credits. Give the credits by hand, then settle this event."
    )


def _named_credits(story: Story) -> Decimal | None:
    if story.credits is None:
        return None
    try:
        return parse_amount(story.credits)
    except InvalidAmount as error:
        raise Parked(
            f'The metadata says credits "{shown(story.credits)}", which cannot be booked. {error} '
            "Find out what was bought and give the credits by hand."
        ) from error


def _ordered_credits(event: StripeEvent, story: Story, answers: Answers) -> Decimal:
    heard = last_of_invoice(story.invoice_id, livemode=event.livemode)
    invoice = read_invoice(subject_of(heard)) if heard else None
    # No session pays an invoice of a subscription. Any other may be one that a checkout made, and its metadata counts
    # before what stands on it.
    if not story.sessions and not (invoice and invoice.subscription_id):
        wait_for_session(event, "It does not say its credits; its checkout session or its invoice may.", beside=heard)
    if invoice:
        credits = credits_of_invoice(invoice, story, answers)
        if credits or not story.sessions:
            # Without a pack it is for something else, or for a subscription, whose allowance comes by the invoice.
            return credits
    if story.sessions:
        return credits_of_orders(story.sessions, answers)
    if story.invoice_id:
        raise Parked(
            f"It pays the invoice {story.invoice_id}, and nothing was told of what stands on it. Resend its "
            "invoice.paid from Stripe, or checkout.session.completed if a checkout made it; this one follows by itself."
        )
    raise Parked(
        "Neither the payment nor a checkout session said how many credits were bought. If the session's event is "
        "missing, resend it from Stripe; else give the credits by hand."
    )
