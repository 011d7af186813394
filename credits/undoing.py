"""Which entries can be undone by staff, and the addresses of the forms that do it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from backoffice.lib.money import format_credits
from credits import originals
from credits.acts import FREE_ADDITIONS
from credits.kinds import TransactionKind
from credits.models import CreditTransaction

# In the address of a form that was opened on the customer's page, and leads back there.
BACK, CUSTOMER = "back", "customer"
REVERSIBLE = {*FREE_ADDITIONS, TransactionKind.EXPIRY}


@dataclass(frozen=True)
class Way:
    """A button: a form that undoes an entry, or a page about it."""

    label: str
    icon: str
    url: str


@dataclass(frozen=True)
class Standing:
    """How an entry may be undone, if it may, and what was undone of it, in words."""

    way: Way | None
    undone: str


def ways(user: Any, entries: Iterable[CreditTransaction]) -> dict[int, Way]:
    """For each entry that this member of staff may undo, and of which something is left: how."""
    return {pk: standing.way for pk, standing in standings(user, entries).items() if standing.way}


def standings(user: Any, entries: Iterable[CreditTransaction]) -> dict[int, Standing]:
    """For each entry that can be undone at all: how this member of staff may, and how much of it was."""
    forms = {entry.pk: (entry, way) for entry in entries if (way := _way(entry))}
    undone = originals.undone(forms.keys()) if forms else {}
    return {
        pk: Standing(
            way=way if user.has_perm(_permission(entry)) and undone.get(pk, Decimal(0)) < abs(entry.amount) else None,
            undone=_in_words(entry, undone[pk]) if undone.get(pk) else "",
        )
        for pk, (entry, way) in forms.items()
    }


def _in_words(entry: CreditTransaction, amount: Decimal) -> str:
    """``Refunded``, ``Reversed 5 of 18``."""
    verb = "Refunded" if entry.kind == TransactionKind.USAGE else "Reversed"
    whole = abs(entry.amount)
    return verb if amount >= whole else f"{verb} {format_credits(amount)} of {format_credits(whole)}"


def ways_of(request: HttpRequest, entry: CreditTransaction) -> list[Way]:
    """The buttons of one entry."""
    return list(ways(request.user, [entry]).values())


def _permission(entry: CreditTransaction) -> str:
    return "credits.refund_usage" if entry.kind == TransactionKind.USAGE else "credits.adjust_credits"


def _way(entry: CreditTransaction) -> Way | None:
    if entry.kind == TransactionKind.USAGE:
        return Way("Refund", "refund", reverse("admin:credits_refund", args=[entry.pk]))
    if entry.kind in REVERSIBLE:
        return Way("Reverse", "repeat", reverse("admin:credits_reverse", args=[entry.pk]))
    return None
