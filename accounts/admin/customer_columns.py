"""What the customers list shows beside its own columns: those of other apps, small buttons, and the cards above."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts import selectors
from accounts.models import Customer
from backoffice.lib import registry
from backoffice.lib.admin import display
from backoffice.lib.admin.resilience import attempt

Offer = TypeVar("Offer", registry.CustomerColumn, registry.CustomerRowAction, registry.CustomerCard)


class OfferedColumn:
    """A column of ``list_display`` whose cells an app gives for a whole page at once."""

    def __init__(self, entry: registry.CustomerColumn) -> None:
        self.__name__ = entry.key
        self.short_description = entry.label
        self.shown = entry.shown
        self._entry = entry
        self._cells: Mapping[int, Any] = {}
        self._missing = display.absent()

    def load(self, customers: Sequence[Customer]) -> None:
        cells, error = attempt(f"column {self._entry.key}", lambda: self._entry.load(customers))
        self._cells, self._missing = cells or {}, display.absent(error)

    def __call__(self, customer: Customer) -> Any:
        return self._cells.get(customer.pk, self._missing)


class RowActions:
    """The column of small buttons, each of which opens a form about that row's customer."""

    __name__ = "row_actions"
    short_description = "Act"
    shown = True

    def __init__(self, entries: Sequence[registry.CustomerRowAction]) -> None:
        self._entries = entries

    def __call__(self, customer: Customer) -> SafeString:
        buttons = format_html_join(
            "",
            '<a class="icon-button" href="{}" title="{}" aria-label="{}: {}">{}</a>',
            (
                (entry.url(customer), entry.label, entry.label, customer.email, display.icon(entry.icon))
                for entry in self._entries
            ),
        )
        return format_html('<span class="row-actions">{}</span>', buttons)


def offered_columns(request: HttpRequest) -> list[Any]:
    """The columns of other apps, and the buttons last."""
    columns: list[Any] = [OfferedColumn(entry) for entry in _allowed(request, registry.customer_columns)]
    actions = list(_allowed(request, registry.customer_row_actions))
    return [*columns, RowActions(actions)] if actions else columns


def cards(request: HttpRequest) -> dict[str, Any]:
    """Context of the cards above the list, with the time at which they were counted."""
    entries = list(_allowed(request, registry.customer_cards))
    totals = selectors.customer_totals() if entries else None
    if totals is None:
        return {"list_figures": [_card(entry.label, display.absent(), "not counted yet") for entry in entries]}
    figures = [_card(entry.label, entry.value(totals), entry.note(totals)) for entry in entries]
    return {"list_figures": figures, "list_figures_at": totals.counted_at}


def _card(label: str, value: Any, note: Any) -> dict[str, Any]:
    return {"label": label, "value": value, "note": note}


def _allowed(request: HttpRequest, entries: Iterable[Offer]) -> Iterator[Offer]:
    return (entry for entry in entries if request.user.has_perm(entry.permission))
