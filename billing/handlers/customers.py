"""Stripe's customers: whose they are, as their metadata or that of what they signed up for says."""

from billing import selectors
from billing.errors import Ignored, Parked
from billing.facts import shown
from billing.handlers.owners import customer_named, wait_for
from billing.models import StripeEvent
from billing.payloads import value_at
from billing.readings.customers import CustomerTold, read_buyer, read_customer
from billing.services.linking import link_customer
from billing.stripe_api import Answers


def on_customer(event: StripeEvent, answers: Answers) -> None:
    """Remember whose a customer of Stripe's is, if its metadata says so. Raises NotApplied."""
    told = read_customer(value_at(event.payload, "data", "object"))
    if not told.references:
        raise Ignored("Its metadata names no user. Whose it is follows from what is paid, or from a user_id there.")
    _link(event, told)


def on_customer_deleted(event: StripeEvent, answers: Answers) -> None:
    """Nothing is forgotten here because Stripe forgot it. Raises Ignored."""
    raise Ignored("Deleted in Stripe. The customer here keeps the id, by which payments of the past are found.")


def on_session_without_purchase(event: StripeEvent) -> None:
    """A checkout that began a subscription or saved a card tells at least whose a customer of Stripe's is.

    Only its metadata says so: ``client_reference_id`` stands in a link that customers can change. Raises NotApplied.
    """
    told = read_buyer(value_at(event.payload, "data", "object"))
    if not told.references or not told.stripe_customer_id:
        raise Ignored("Nothing was bought in this session: it began a subscription or saved a card.")
    _link(event, told)


def _link(event: StripeEvent, told: CustomerTold) -> None:
    customer = customer_named(told.references)
    if customer is not None:
        link_customer(user_id=customer.pk, stripe_customer_id=told.stripe_customer_id)
        return
    (reference,) = told.references
    wait_for(event, f'There is no customer with the external id "{shown(reference)}" yet.')
    reason = f'The metadata names user "{shown(reference)}", and there is no customer with this external id.'
    if selectors.waits_for_customer(told.stripe_customer_id, beside=event):
        raise Parked(
            f"{reason} Other events about {told.stripe_customer_id} wait to know whose they are. "
            "Replay once the product has told of this customer, or an import has brought them."
        )
    raise Ignored(f"{reason} Nothing else was told of {told.stripe_customer_id} so far.")
