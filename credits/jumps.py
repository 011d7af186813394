"""Ledger entries in the search of Ctrl-K."""

from collections.abc import Iterator

from django.urls import reverse

from backoffice.lib.registry import JumpHit
from credits import selectors

SHOWN = 5


def entries(text: str) -> Iterator[JumpHit]:
    """The entry of this number, and the latest with exactly this reference."""
    if "@" in text:
        return  # An address is a customer's, who is found by it.
    found = selectors.search(selectors.ledger(), text, reference="reference")
    for entry in found.order_by("-created_at", "-pk")[:SHOWN]:
        yield JumpHit(
            label=f"{entry} · {entry.account.user.email}",
            detail=entry.reference or entry.description or f"Entry {entry.pk}",
            url=reverse("admin:credits_credittransaction_change", args=[entry.pk]),
            icon="ledger",
        )
