"""Reads of people and their figures."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from accounts.errors import UnknownCustomer
from accounts.models import ActivityEvent, Customer, CustomerFigures, CustomerTotals, User
from accounts.selectors.retired import survivor_of, survivors
from backoffice.lib.loose_scan import values_of

LARGEST_ID = 2**63 - 1
MOST_CHOICES = 200


def is_id(text: str) -> bool:
    """Whether ``text`` can be an id of ours."""
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID


def customer_list() -> QuerySet[Customer]:
    """Customers with their figures, joined one to one."""
    return Customer.objects.select_related("figures")


def customer_totals() -> CustomerTotals | None:
    """All customers added up, as they were last counted; None when they never were."""
    return CustomerTotals.objects.first()


def values_in_figures(column: str) -> list[str]:
    """The different values of an indexed column of the figures, sorted; at most 200."""
    return values_of(CustomerFigures, column, limit=MOST_CHOICES)


def which_are_staff(ids: Collection[str]) -> dict[int, bool]:
    """Whether each of these people, by our ids as text, works here; nobody else's id."""
    known = [int(text) for text in ids if is_id(text)]
    return dict(User.objects.filter(pk__in=known).values_list("pk", "is_staff"))


def customer_by_reference(reference: str) -> Customer | None:
    """The customer whom the product calls ``reference``; our own id serves only for one without an external id."""
    customer = Customer.objects.filter(external_id=reference).first() or survivor_of(reference)
    if customer is None and is_id(reference):
        # Who was merged or anonymised has no external id any more, and is nobody's reference.
        unknown = Customer.objects.filter(external_id__isnull=True, retirement__isnull=True)
        customer = unknown.filter(pk=int(reference)).first()
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


def customer_by_external_id(external_id: str) -> Customer:
    """The customer whom the product calls ``external_id``, or into whom that one was merged. Raises UnknownCustomer."""
    customer = Customer.objects.filter(external_id=external_id).first() or survivor_of(external_id)
    if customer is None:
        raise UnknownCustomer(external_id)
    return customer


def customer_ids(external_ids: Collection[str]) -> dict[str, int]:
    """Our ids of the customers whom the product calls so, or into whom those were merged; who is not in it is none.

    One query, and another one if somebody is not found by it.
    """
    wanted = set(external_ids)
    rows = Customer.objects.filter(external_id__in=wanted).values_list("external_id", "pk")
    found = {str(external_id): pk for external_id, pk in rows}
    return found | survivors(wanted - found.keys())


def signups_of_visitors(visitor_ids: Collection[str]) -> dict[str, list[tuple[datetime, int]]]:
    """When each visitor signed up and as which user, first signup first. One query, none for nobody."""
    if not visitor_ids:
        return {}
    signups = ActivityEvent.objects.filter(
        visitor_id__in=set(visitor_ids), action="signup", user__isnull=False
    ).exclude(visitor_id="")
    found: dict[str, list[tuple[datetime, int]]] = {}
    for visitor_id, at, user_id in signups.order_by("at", "pk").values_list("visitor_id", "at", "user_id"):
        found.setdefault(visitor_id, []).append((at, user_id))
    return found


def customer_by_any_id(text: str) -> Customer | None:
    """The customer with this id of the product's, or else of ours."""
    customer = Customer.objects.filter(external_id=text).first()
    return customer or (Customer.objects.filter(pk=int(text)).first() if is_id(text) else None)


def customer_of_staff(named: str) -> Customer | None:
    """The customer whom staff name so, with their figures: by our id, the product's, or the email."""
    found = None
    if is_id(named):
        found = customer_list().filter(pk=int(named)).first()
    found = found or customer_list().filter(external_id=named).first()
    return found or Customer.objects.with_email(named).select_related("figures").first()
