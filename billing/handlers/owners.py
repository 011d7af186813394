"""Whose something is that Stripe tells of: by its metadata, by Stripe's customer, and only then by an email.

One rule for all of it. What a payment says of itself comes in several events, which ``whose`` puts together first.
"""

from collections.abc import Set
from datetime import timedelta

from accounts import selectors as accounts
from accounts.models import Customer
from backoffice.lib import clock
from billing import selectors
from billing.errors import Parked, Waiting
from billing.facts import shown
from billing.models import StripeEvent
from billing.payloads import value_at
from billing.readings.customers import read_customer

CUSTOMER_TYPES = ("customer.created", "customer.updated", "customer.deleted")
# For so long may be told whose a customer of Stripe's is: the product learns of it at the same time as we do.
WAIT_FOR_CUSTOMER = timedelta(minutes=15)


def wait_for(event: StripeEvent, reason: str) -> None:
    """Raise Waiting, unless what is to come has had its time."""
    until = event.received_at + WAIT_FOR_CUSTOMER
    if clock.now() < until:
        raise Waiting(reason, until=until)


def customer_of(
    event: StripeEvent, *, references: Set[str], stripe_customer_id: str, emails: Set[str] = frozenset()
) -> Customer:
    """The customer whom the metadata names; without any, whom Stripe's customer means; without that, the emails.

    A user or a Stripe customer whom nobody knows yet is waited for, then the event parks. Raises Waiting, Parked.
    """
    references = references or _named_by_stripe(event, stripe_customer_id)
    if references:
        return customer_expected(event, references)
    if stripe_customer_id:
        customer = accounts.customer_by_stripe_id(stripe_customer_id)
        if customer is None:
            wait_for(event, f"Nobody here is Stripe's customer {stripe_customer_id} yet.")
            raise Parked(
                f"Nobody here is Stripe's customer {stripe_customer_id}. "
                "Enter this id on the customer whose it is, then replay."
            )
        return customer
    customer = customer_by_emails(emails)
    if customer is None:
        raise Parked(
            "Nothing says whose this is: no user in the metadata, no Stripe customer, and no email of exactly one "
            "customer. Look it up in Stripe and add the user_id to its metadata."
        )
    return customer


def customer_by_emails(emails: Set[str]) -> Customer | None:
    """The one customer to whom all of these addresses lead that lead to anybody."""
    found = {customer for email in emails if email and (customer := accounts.customer_by_email(email))}
    return found.pop() if len(found) == 1 else None


def customer_named(references: Set[str]) -> Customer | None:
    """The customer whom metadata names; None if nobody here is called so. Raises Parked if it names several."""
    if len(references) > 1:
        several = " and ".join(shown(reference) for reference in sorted(references))
        raise Parked(f"The metadata names several users: {several}. Correct it in Stripe, then replay.")
    (reference,) = references
    return accounts.customer_by_reference(reference)


def customer_expected(event: StripeEvent, references: Set[str]) -> Customer:
    """The customer whom metadata names, and of whom the product may tell a little later. Raises Waiting, Parked."""
    customer = customer_named(references)
    if customer is None:
        (reference,) = references
        wait_for(event, f'There is no customer with the external id "{shown(reference)}" yet.')
        raise Parked(
            f'The metadata names user "{shown(reference)}", and there is no customer with this external id. '
            "Replay once the product has told of this customer, or an import has brought them."
        )
    return customer


def _named_by_stripe(event: StripeEvent, stripe_customer_id: str) -> Set[str]:
    """Whom Stripe's customer itself names, as it was told last; nobody once it is known here whose it is."""
    if not stripe_customer_id or accounts.customer_by_stripe_id(stripe_customer_id):
        return frozenset()
    told = selectors.newest_events_of(stripe_customer_id, types=CUSTOMER_TYPES, livemode=event.livemode)
    return read_customer(value_at(told[0].payload, "data", "object")).references if told else frozenset()
