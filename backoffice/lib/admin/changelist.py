"""The change list of big tables: no count of all rows, no offset, and a number of queries that rows do not change."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DecimalField, Field, FloatField, IntegerField, Model, QuerySet
from django.http import HttpRequest

from backoffice.lib.admin import memory
from backoffice.lib.admin.chips import Chip, chips
from backoffice.lib.admin.keyset import AFTER_VAR, BEFORE_VAR, Keyset, target_field

EXACT_COUNT_LIMIT = 1_000
FIGURES = (IntegerField, DecimalField, FloatField)


class KeysetChangeList(ChangeList):
    """Orders by one NOT NULL column and the admin's ``keyset_tiebreak``, and pages by a cursor (see ``keyset``).

    A sort column is a field or a path through one-to-ones; expressions and nullable columns cannot be clicked.
    ``list_editable`` is not supported: changes go through forms that audit them.
    """

    keyset: Keyset
    result_list: list[Any]
    # Whether ``result_count`` is all of them; if not, there are more.
    is_counted: bool
    # Why the search cannot be done, or what there is to know of its result.
    search_fault = ""
    search_note = ""
    # What the list remembers of its reader, if it does: columns to choose from, and saved filters.
    column_choices: Sequence[memory.ColumnChoice] = ()
    tabs: Sequence[memory.Tab] = ()
    # Everything that narrows and orders it, in the form in which it is saved.
    query_to_save = ""
    opens_whole = True
    next_url: str | None = None
    previous_url: str | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        # Cursors and "show all" are no filters, and no link to another order or filter may carry them along.
        for name in (AFTER_VAR, BEFORE_VAR, ALL_VAR):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        self.sortable_by = [name for name in self.sortable_by or () if self._can_sort(name)]
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:  # type: ignore[override]
        self.keyset = self._clicked_order() or self._default_order(request)
        return self.keyset.order_by()

    def get_results(self, request: HttpRequest) -> None:
        has_previous, has_next = self._load_page(request)
        rows = self.result_list
        if has_previous:
            self.previous_url = self._page_url(BEFORE_VAR, rows[0])
        if has_next:
            self.next_url = self._page_url(AFTER_VAR, rows[-1])
        self.result_count, self.is_counted = self.bounded_count()
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = False
        self.paginator = None
        if getattr(self.model_admin, "remembers", False):
            self._recall(request)

    @property
    def result_count_text(self) -> str:
        """``1,000+`` above the number that is counted exactly."""
        return f"{self.result_count:,}" if self.is_counted else f"{self.result_count:,}+"

    @cached_property
    def chips(self) -> list[Chip]:
        """What narrows the list, each with the address without it."""
        return chips(self)

    @property
    def active_filter_count(self) -> int:
        """How many filters narrow the list, the search aside."""
        return len(self.chips) - bool(self.query)

    @property
    def clear_all_url(self) -> str:
        """The list in the same order, without search and filters."""
        return self.get_query_string(dict.fromkeys(name for name in self.filter_params if name != ORDER_VAR))

    @property
    def current_tab(self) -> memory.Tab | None:
        """The tab of the saved filter that the list shows."""
        return next((tab for tab in self.tabs if tab.is_current and tab.filter), None)

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: Iterable[str] | None = None) -> str:
        """As the stock one; but where the bare address opens a saved filter, the whole list has another."""
        query = super().get_query_string(new_params, remove)
        return f"?{ALL_VAR}=" if query == "?" and not self.opens_whole else query

    def get_ordering_field_columns(self) -> dict[int, Literal["desc", "asc"]]:
        """The one column that the list is sorted by, if it is shown."""
        shown = [index for index, name in enumerate(self.list_display) if self._path(name) == self.keyset.column]
        return dict.fromkeys(shown[:1], "desc" if self.keyset.descending else "asc")

    def sort_url(self, index: int) -> str:
        """The list sorted by a column: from the top for figures and times, and the other way when clicked again."""
        now = self.get_ordering_field_columns().get(index)
        field = self._field(self.list_display[index])
        starts_high = isinstance(field, (*FIGURES, DateField))
        descending = now == "asc" or (now is None and starts_high)
        name = memory.key_of(self.list_display[index])
        return self.get_query_string({ORDER_VAR: f"-{name}" if descending else name})

    def is_numeric(self, name: Any) -> bool:
        """Whether the column shows figures, which stand right-aligned: by its field, or by what it sorts by."""
        field = self._field(name)
        return isinstance(field, FIGURES) and not (field.choices or field.primary_key)

    def first_rows(self, cursor: Sequence[Any] | None, *, backward: bool, limit: int) -> list[Any]:
        """Up to ``limit`` rows from ``cursor`` on, in the list's order or against it."""
        return list(self.keyset.rows(self.queryset, cursor=cursor, backward=backward)[:limit])

    def bounded_count(self) -> tuple[int, bool]:
        """How many rows there are, up to 1,000, and whether that is all of them."""
        bounded: QuerySet[Any] = self.queryset.order_by()[: EXACT_COUNT_LIMIT + 1]
        count = bounded.count()
        return min(count, EXACT_COUNT_LIMIT), count <= EXACT_COUNT_LIMIT

    def _load_page(self, request: HttpRequest) -> tuple[bool, bool]:
        """Set ``result_list``; tell whether there are rows before and after it."""
        before = self._cursor(request, BEFORE_VAR)
        if before is not None:
            rows, more = self._fetch(before, backward=True)
            if more:
                self.result_list = rows[::-1]
                return True, True
            # The rest towards the top is the first page, which is shown full.
        after = self._cursor(request, AFTER_VAR)
        self.result_list, more = self._fetch(after, backward=False)
        if after is not None and not self.result_list:
            self.result_list, more = self._fetch(None, backward=False)
            after = None
        return after is not None, more

    def _fetch(self, cursor: Sequence[Any] | None, *, backward: bool) -> tuple[list[Model], bool]:
        # One row more than the page shows whether another page follows, without a count.
        rows = self.first_rows(cursor, backward=backward, limit=self.list_per_page + 1)
        return rows[: self.list_per_page], len(rows) > self.list_per_page

    def _cursor(self, request: HttpRequest, name: str) -> list[Any] | None:
        text = request.GET.get(name)
        return self.keyset.parse(text) if text else None

    def _page_url(self, name: str, row: Model) -> str:
        return self.get_query_string({name: self.keyset.cursor_of(row)})

    def _recall(self, request: HttpRequest) -> None:
        """Set what the page shows of what the list remembers."""
        known = memory.remembered(request, self.opts.label_lower)
        self.opens_whole = known.first_filter is None
        self.query_to_save = memory.canonical(request.GET.urlencode())
        self.tabs = memory.tabs(known, self.query_to_save)
        shown = {memory.key_of(name) for name in self.list_display}
        owner: Any = self.model_admin
        available = owner.get_available_columns(request)
        fixed = owner.get_fixed_columns(available)
        self.column_choices = [
            memory.ColumnChoice(
                key=memory.key_of(name),
                label=str(label_for_field(name, self.model, self.model_admin)),
                is_shown=memory.key_of(name) in shown,
            )
            for name in available
            if name not in fixed
        ]

    def _clicked_order(self) -> Keyset | None:
        # By name and not by place as in the stock list: readers choose their columns, and links outlive a choice.
        order = str(self.params.get(ORDER_VAR, ""))
        name = order.removeprefix("-")
        if name not in map(str, self.sortable_by or ()):
            return None
        return self._keyset(("-" if order.startswith("-") else "") + str(self._path(name)))

    def _default_order(self, request: HttpRequest) -> Keyset:
        ordering = list(self.model_admin.get_ordering(request) or self.lookup_opts.ordering or ())
        return self._keyset(str(ordering[0]) if ordering else "-pk")

    def _keyset(self, order: str) -> Keyset:
        column = order.removeprefix("-")
        tiebreaks = getattr(self.model_admin, "keyset_tiebreaks", {})
        return Keyset(
            model=self.model,
            column=column,
            tiebreak=tiebreaks.get(column, getattr(self.model_admin, "keyset_tiebreak", "pk")),
            descending=order.startswith("-"),
        )

    def _can_sort(self, name: Any) -> bool:
        # A row whose column is NULL would lie on no side of any cursor.
        field = self._field(name)
        return field is not None and not field.null

    def _field(self, name: Any) -> "Field[Any, Any] | None":
        path = self._path(name)
        try:
            return target_field(self.model, path) if path else None
        except FieldDoesNotExist:
            return None

    def _path(self, name: Any) -> str | None:
        """What a column of the list sorts by, when that is a plain path and no expression."""
        path = self.get_ordering_field(name)
        return path if isinstance(path, str) else None
