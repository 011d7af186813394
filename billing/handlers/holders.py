"""Whose something of Stripe's is that is no payment: a subscription or an invoice."""

from collections.abc import Collection
from datetime import timedelta

from accounts import selectors as accounts
from accounts.models import Customer
from backoffice.lib import clock
from billing.errors import Parked, Waiting
from billing.facts import shown
from billing.models import StripeEvent

WAIT_FOR_CUSTOMER = timedelta(minutes=15)


def customer_of(
    event: StripeEvent, *, references: Collection[str], stripe_customer_id: str, emails: Collection[str] = ()
) -> Customer:
    """Whom the metadata names, else Stripe's customer, and only if both are absent an email. Raises Parked, Waiting."""
    if references:
        return customer_named(references)
    if stripe_customer_id:
        return _known_to_stripe(event, stripe_customer_id)
    found = {customer for email in emails if email and (customer := accounts.customer_by_email(email))}
    if len(found) != 1:
        raise Parked(
            "Nothing says whose this is: no user in the metadata, no Stripe customer, and no email of exactly one "
            "customer. Put the customer's external id into its metadata in Stripe, as user_id, then replay."
        )
    return found.pop()


def customer_named(references: Collection[str]) -> Customer:
    """The customer whom metadata names. Raises Parked."""
    if len(references) > 1:
        several = " and ".join(shown(reference) for reference in sorted(references))
        raise Parked(f"The metadata names several users: {several}. Correct it in Stripe, then replay.")
    (reference,) = references
    customer = accounts.customer_by_reference(reference)
    if customer is None:
        raise Parked(
            f'The metadata names user "{shown(reference)}", and there is no customer with this external id. '
            "Replay once the product has told of this customer, or an import has brought them."
        )
    return customer


def _known_to_stripe(event: StripeEvent, stripe_customer_id: str) -> Customer:
    customer = accounts.customer_by_stripe_id(stripe_customer_id)
    if customer is not None:
        return customer
    until = event.received_at + WAIT_FOR_CUSTOMER
    if clock.now() < until:
        raise Waiting(f"Nobody here is Stripe's customer {stripe_customer_id} yet.", until=until)
    raise Parked(
        f"Nobody here is Stripe's customer {stripe_customer_id}. "
        "Enter this id on the customer whose it is, then replay."
    )
