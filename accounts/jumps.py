"""Customers in the search of Ctrl-K."""

from collections.abc import Iterator

from django.urls import reverse

from accounts import selectors
from accounts.models import Customer
from backoffice.lib.registry import JumpHit

SHOWN = 6


def customers(text: str) -> Iterator[JumpHit]:
    """The newest customers who fit; none for less than the search needs."""
    search = selectors.search_for(text)
    if search.fault:
        return
    found, _ = search.first(selectors.words_by_joining(), limit=SHOWN)
    for customer in Customer.objects.filter(pk__in=found).order_by("-date_joined", "-pk"):
        yield JumpHit(
            label=customer.email,
            detail=customer.full_name,
            url=reverse("admin:accounts_customer_change", args=[customer.pk]),
            icon="user",
        )
