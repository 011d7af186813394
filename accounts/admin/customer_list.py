"""The customers list: a search whose work is bounded however many customers a word fits."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import selectors
from accounts.admin.customer_columns import OfferedColumn
from backoffice.lib.admin.changelist import EXACT_COUNT_LIMIT, KeysetChangeList

JOINED = "figures__joined"
TOO_MANY = "Very many customers match, and not all of them were considered. Add a word or a filter."


class CustomerChangeList(KeysetChangeList):
    """Leaves searching to ``selectors.search_for``, which pages and counts by itself."""

    unsearched: QuerySet[Any]

    @cached_property
    def search(self) -> selectors.Search:
        return selectors.search_for(self.query)

    @property
    def search_fault(self) -> str:  # type: ignore[override]
        return self.search.fault

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        query, self.query = self.query, ""
        self.unsearched = super().get_queryset(request, exclude_parameters)
        self.query = query
        return self.search.among(self.unsearched)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for column in self.list_display:
            if isinstance(column, OfferedColumn):
                column.load(self.result_list)

    def first_rows(self, cursor: Sequence[Any] | None, *, backward: bool, limit: int) -> list[Any]:
        if not self.search.text:
            return super().first_rows(cursor, backward=backward, limit=limit)
        found, is_certain = self.search.first(self._rows_to_search(cursor, backward), limit=limit)
        self.search_note = "" if is_certain else TOO_MANY
        return list(self.keyset.rows(self.unsearched.filter(pk__in=found), cursor=None, backward=backward))

    def bounded_count(self) -> tuple[int, bool]:
        if not self.search.text:
            return super().bounded_count()
        if not self.active_filter_count:
            return (EXACT_COUNT_LIMIT, False) if self.search.few is None else (len(self.search.few), True)
        if self.search.few is not None:
            return super().bounded_count()
        # Counting a common word among filtered customers is as long a walk as there are of them.
        return len(self.result_list), not (self.search_note or self.next_url or self.previous_url)

    def _rows_to_search(self, cursor: Sequence[Any] | None, backward: bool) -> "QuerySet[Any]":
        """In the usual order and unfiltered, the narrow table that has nothing but words and that order."""
        if self.keyset.column == JOINED and not self.active_filter_count:
            return selectors.words_by_joining(descending=self.keyset.descending, cursor=cursor, backward=backward)
        return self.keyset.rows(self.unsearched, cursor=cursor, backward=backward)
