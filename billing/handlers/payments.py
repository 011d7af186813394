"""A payment that succeeded, told by its intent or by its checkout session: whose it is and what for."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from accounts import selectors as accounts
from accounts.models import Customer
from backoffice.lib import clock
from backoffice.lib.money import format_credits
from billing import selectors
from billing.errors import Ignored, Parked, Waiting
from billing.facts import Story, Told, shown, told_by_intent, told_by_session
from billing.handlers.orders import credits_of_orders
from billing.models import Payment, StripeEvent
from billing.payloads import text_at, value_at
from billing.services.payments import PaymentDetails, Purchase, book_payment, complete_payment
from billing.stripe_api import Answers
from credits.amounts import parse_amount
from credits.errors import CreditError, InvalidAmount

INTENT_TYPES = ("payment_intent.succeeded",)
SESSION_TYPES = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
WAIT_FOR_SESSION = timedelta(minutes=15)


def on_intent_succeeded(event: StripeEvent, answers: Answers) -> None:
    """Book the payment. One that does not say its credits, or names nobody, waits for its session. Raises NotApplied.

    The wait ends: a payment that was made without a checkout never gets a session, so after WAIT_FOR_SESSION the sweep
    takes it up and it is booked by what Stripe knows of the customer.
    """
    _apply(event, answers)


def on_session_completed(event: StripeEvent, answers: Answers) -> None:
    """Book the payment of a session in which something was paid. Raises NotApplied."""
    session = value_at(event.payload, "data", "object")
    if text_at(session, "mode", limit=64) in ("subscription", "setup"):
        raise Ignored("Nothing was bought in this session: it began a subscription or saved a card.")
    status = text_at(session, "payment_status", limit=64)
    if status == "unpaid":
        raise Ignored("The session is not paid yet. Stripe sends another event once it is.")
    if status == "no_payment_required":
        raise Parked("The session was free, so there is no payment to book. If credits were promised, gift them.")
    if status != "paid":
        raise Parked("The session does not say whether it was paid. Look it up in Stripe.")
    _apply(event, answers)


def _apply(event: StripeEvent, answers: Answers) -> None:
    if not event.payment_intent_id:
        raise Parked("The event names no payment. Look it up in Stripe.")
    story = _story(event)
    amount_minor, currency = story.amount
    named, credits = _named_customer(story), _named_credits(story)
    details = PaymentDetails(
        paid_at=story.paid_at,
        charge_id=story.charge_id,
        method=story.method,
        stripe_customer_id=(story.stripe_customer_id or "") if named else "",
    )
    if payment := selectors.payment_of_intent(event.payment_intent_id):
        _check_agreement(payment, named, credits)
        complete_payment(payment=payment, details=details)
        return
    if credits is None:
        credits = _ordered_credits(event, story, answers)
    _book(
        Purchase(
            user_id=(named or _customer_by_stripe(event, story)).pk,
            stripe_payment_id=event.payment_intent_id,
            amount_minor=amount_minor,
            currency=currency,
            credits=credits,
            details=details,
        )
    )


def _book(purchase: Purchase) -> None:
    try:
        book_payment(purchase=purchase)
    except CreditError as error:
        raise Parked(f"The ledger refuses the credits of this payment: {error} Set that right, then replay.") from error


def _check_agreement(payment: Payment, named: Customer | None, credits: Decimal | None) -> None:
    """Raise Parked if the payment was booked, from another event, in a way that this one denies."""
    whose = "" if named is None or named.pk == payment.user_id else f" for customer {named.pk}"
    what = "" if credits is None or credits == payment.credits_purchased else f" for {format_credits(credits)} credits"
    if whose or what:
        raise Parked(
            f"This payment was booked for customer {payment.user_id} and "
            f"{format_credits(payment.credits_purchased)} credits, but this event says it is{whose}{what}. "
            "Compare it with the payment in Stripe and correct the credits by hand."
        )


def _story(event: StripeEvent) -> Story:
    known = selectors.events_of_payment(
        event.payment_intent_id, types=(*INTENT_TYPES, *SESSION_TYPES), livemode=event.livemode
    )
    return Story(
        intents=[_told(told_by_intent, each) for each in known if each.type in INTENT_TYPES],
        sessions=[_told(told_by_session, each) for each in known if each.type in SESSION_TYPES],
    )


def _told(read: Callable[..., Told], event: StripeEvent) -> Told:
    return read(value_at(event.payload, "data", "object"), at=event.stripe_created or event.received_at)


def _named_customer(story: Story) -> Customer | None:
    reference = story.reference
    if reference is None:
        return None
    customer = accounts.customer_by_reference(reference)
    if customer is None:
        raise Parked(
            f'The metadata names user "{shown(reference)}", and there is no customer with this external id. '
            "Replay once the product has told of this customer, or an import has brought them."
        )
    return customer


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
    if story.sessions:
        return credits_of_orders(story.sessions, answers)
    _wait_for_session(event, "It does not say its credits; its checkout session may.")
    raise Parked(
        "Neither the payment nor a checkout session said how many credits were bought. If the session's event is "
        "missing, resend it from Stripe; else give the credits by hand."
    )


def _wait_for_session(event: StripeEvent, reason: str) -> None:
    """Raise Waiting, unless the session has had its time to come."""
    until = event.received_at + WAIT_FOR_SESSION
    if clock.now() < until:
        raise Waiting(reason, until=until)


def _customer_by_stripe(event: StripeEvent, story: Story) -> Customer:
    """Whom Stripe's customer or the email means, once no metadata can name somebody else any more.

    Metadata comes first, and often the session alone carries it. To book by less before the session is here would let
    the order of delivery decide whose the money is.
    """
    if not story.sessions:
        _wait_for_session(event, "It names no user; its checkout session may.")
    if stripe_customer_id := story.stripe_customer_id:
        customer = accounts.customer_by_stripe_id(stripe_customer_id)
        if customer is None:
            raise Parked(
                f"Nobody here is Stripe's customer {stripe_customer_id}. "
                "Enter this id on the customer who paid, then replay."
            )
        return customer
    customers = {found for email in story.emails if (found := accounts.customer_by_email(email))}
    if len(customers) != 1:
        raise Parked(
            "Nothing says whose payment this is: no user in the metadata, no Stripe customer, and no email of exactly "
            "one customer. Find out who paid and give the credits by hand."
        )
    return customers.pop()
