"""Reads of customers who were merged into others or anonymised."""

from collections.abc import Collection, Sequence

from accounts.models import Customer, Fate, RetiredCustomer
from accounts.models.retired import hashed


def retirement_of(user_id: int) -> RetiredCustomer | None:
    """What became of a customer who is none any more; None for one who is."""
    return RetiredCustomer.objects.select_related("into").filter(pk=user_id).first()


def survivor_id_of(user_id: int) -> int:
    """The id of the customer into whom this one was merged; their own if that never happened."""
    retired = retirement_of(user_id)
    return (retired.into_id if retired else None) or user_id


def is_forgotten(user_id: int) -> bool:
    """Whether a customer was anonymised, or was merged into somebody who was."""
    retired = retirement_of(user_id)
    last = retirement_of(retired.into_id) if retired and retired.into_id else retired
    return last is not None and last.fate == Fate.ANONYMISED


def retirement_seen(customer: Customer) -> RetiredCustomer | None:
    """As ``retirement_of``, asked once for one row that was read: several parts of a page want to know."""
    cache = customer._state.fields_cache
    if "retirement" not in cache:
        cache["retirement"] = retirement_of(customer.pk)
    known: RetiredCustomer | None = cache["retirement"]
    return known


def retirement_by_external_id(external_id: str) -> RetiredCustomer | None:
    """What became of the customer whom the product called so."""
    known = RetiredCustomer.objects.select_related("into")
    return known.filter(former_id__in=[external_id, hashed(external_id)]).first()


def survivor_of(external_id: str) -> Customer | None:
    """The customer into whom the one whom the product called so was merged."""
    merged = RetiredCustomer.objects.filter(former_id=external_id, fate=Fate.MERGED, into__retirement__isnull=True)
    into = merged.values_list("into_id", flat=True).first()
    return Customer.objects.filter(pk=into).first() if into else None


def survivors(external_ids: Collection[str]) -> dict[str, int]:
    """Our ids of those into whom the customers whom the product called so were merged. One query, none for nobody."""
    if not external_ids:
        return {}
    merged = RetiredCustomer.objects.filter(
        former_id__in=set(external_ids), fate=Fate.MERGED, into__retirement__isnull=True
    )
    return {str(former): into for former, into in merged.values_list("former_id", "into_id")}


def family_of(user_id: int) -> Sequence[int]:
    """A customer's id and those of all who were merged into them."""
    return [user_id, *RetiredCustomer.objects.filter(into_id=user_id).order_by("pk").values_list("pk", flat=True)]
