"""Whose a payment is: by metadata, then by Stripe's customer, then by an email, and never by a guess."""

from datetime import timedelta

from accounts import selectors as accounts
from accounts.models import Customer
from backoffice.lib import clock
from billing.errors import Parked, Waiting
from billing.facts import Story, shown
from billing.handlers.owners import customer_by_emails, customer_of
from billing.models import StripeEvent

WAIT_FOR_SESSION = timedelta(minutes=15)


def named_customer(story: Story) -> Customer | None:
    """Whom the metadata names. Raises Parked if that is nobody, or several."""
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


def wait_for_session(event: StripeEvent, reason: str, *, beside: StripeEvent | None = None) -> None:
    """Raise Waiting, unless the session or the invoice has had its time to come since the event, and since ``beside``.

    What could not be delivered for a while comes all at once, in any order.
    """
    until = max(each.received_at for each in (event, beside) if each) + WAIT_FOR_SESSION
    if clock.now() < until:
        raise Waiting(reason, until=until)


def customer_by_stripe(event: StripeEvent, story: Story) -> Customer:
    """Whom Stripe's customer or the email means, once no metadata can name somebody else any more.

    Metadata comes first, and often the session or the invoice alone carries it. To book by less before that is here
    would let the order of delivery decide whose the money is. Raises Parked, Waiting.
    """
    if not story.sessions and not story.subscription_id:
        wait_for_session(event, "It names no user; its checkout session or its invoice may.")
    if stripe_customer_id := story.stripe_customer_id:
        return customer_of(event, references=frozenset(), stripe_customer_id=stripe_customer_id)
    customer = customer_by_emails(story.emails)
    if customer is None:
        raise Parked(
            "Nothing says whose payment this is: no user in the metadata, no Stripe customer, and no email of exactly "
            "one customer. Find out who paid and give the credits by hand."
        )
    return customer
