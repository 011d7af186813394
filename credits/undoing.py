"""Which entries can be undone by staff, and the addresses of the forms that do it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from credits import originals
from credits.acts import FREE_ADDITIONS
from credits.kinds import TransactionKind
from credits.models import CreditTransaction

REVERSIBLE = {*FREE_ADDITIONS, TransactionKind.EXPIRY}


@dataclass(frozen=True)
class Way:
    """A button: a form that undoes an entry, or a page about it."""

    label: str
    icon: str
    url: str


def ways(user: Any, entries: Iterable[CreditTransaction]) -> dict[int, Way]:
    """For each entry that this member of staff may undo, and of which something is left: how."""
    forms = {entry.pk: way for entry in entries if (way := _way(entry)) and user.has_perm(_permission(entry))}
    undone = originals.undone(forms.keys()) if forms else {}
    amounts = {entry.pk: abs(entry.amount) for entry in entries}
    return {pk: way for pk, way in forms.items() if undone.get(pk, Decimal(0)) < amounts[pk]}


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
