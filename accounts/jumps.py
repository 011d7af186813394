"""Customers in the search of Ctrl-K."""

from collections.abc import Iterator

from django.urls import reverse

from accounts import selectors
from accounts.models import Customer
from backoffice.lib.admin.keyset import Keyset
from backoffice.lib.registry import JumpHit

SHOWN = 6
NEWEST_FIRST = Keyset(model=Customer, column="figures__joined", tiebreak="figures__user", descending=True)


def customers(text: str) -> Iterator[JumpHit]:
    """The newest customers who fit; none for less than the search needs."""
    search = selectors.search_for(text)
    if search.fault:
        return
    rows = NEWEST_FIRST.rows(selectors.customer_list(), cursor=None, backward=False)
    found, _ = search.first(rows, limit=SHOWN)
    for customer in found:
        yield JumpHit(
            label=customer.email,
            detail=customer.full_name,
            url=reverse("admin:accounts_customer_change", args=[customer.pk]),
            icon="user",
        )
