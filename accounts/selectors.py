"""Reads of people and their figures."""

from django.db.models import QuerySet

from accounts.models import ActivityEvent, Customer


def customer_list() -> QuerySet[Customer]:
    """Customers with their figures, joined one to one."""
    return Customer.objects.select_related("figures")


def customer_by_reference(reference: str) -> Customer | None:
    """The customer whom the product calls ``reference``; our own id serves only for one without an external id."""
    customer = Customer.objects.filter(external_id=reference).first()
    if customer is None and reference.isascii() and reference.isdigit() and len(reference) < 19:
        customer = Customer.objects.filter(pk=int(reference), external_id__isnull=True).first()
    return customer


def customer_by_stripe_id(stripe_customer_id: str) -> Customer | None:
    """The customer whom Stripe knows under this id."""
    return Customer.objects.filter(stripe_customer_id=stripe_customer_id).first()


def customer_by_email(email: str) -> Customer | None:
    """The customer with this address, in any case."""
    return Customer.objects.with_email(email).first()


def recent_activity(*, user_id: int, limit: int) -> list[ActivityEvent]:
    """The customer's latest acts, newest first."""
    return list(ActivityEvent.objects.filter(user_id=user_id).order_by("-at")[:limit])
