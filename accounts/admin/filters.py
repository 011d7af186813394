"""Filters of the customers list; all of them answer from the narrow, indexed table of figures."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import selectors
from accounts.models import Status

MOST_TAGS = 200


class FigureFilter(admin.SimpleListFilter):
    """Customers by the values that one column of their figures has."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        known = {value for value in selectors.values_in_figures(self.column) if value}
        # One that nobody has (any more) is still a filter: the stock one would drop it, and the list be of everybody.
        return [(value, value) for value in sorted(known | ({self.value()} if self.value() else set()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{f"figures__{self.column}": self.value()}) if self.value() else queryset


class PlanFilter(FigureFilter):
    title, parameter_name, column = "plan", "plan", "plan"


class CountryFilter(FigureFilter):
    title, parameter_name, column = "country", "country", "country"


class SourceFilter(FigureFilter):
    title, parameter_name, column = "source", "source", "source"


class StatusFilter(FigureFilter):
    title, parameter_name, column = "status", "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return Status.choices


class TagFilter(admin.SimpleListFilter):
    """Customers who bear a tag."""

    title, parameter_name = "tag", "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(tag.pk), tag.name) for tag in selectors.all_tags()[:MOST_TAGS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        if not wanted:
            return queryset
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 18):
            raise IncorrectLookupParameters(f"{wanted} is no tag")
        return selectors.with_tag(queryset, int(wanted))


class CreditBandFilter(admin.SimpleListFilter):
    """The bands that colour the balance."""

    title, parameter_name = "credits", "credits"
    bands = {"low": (None, Decimal(10)), "medium": (Decimal(10), Decimal(50)), "high": (Decimal(50), None)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("low", "under 10"), ("medium", "10 to 50"), ("high", "50 and more")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        if self.value() not in self.bands:
            raise IncorrectLookupParameters(f"{self.value()} is no band of credits")
        floor, ceiling = self.bands[str(self.value())]
        if floor is not None:
            queryset = queryset.filter(balance_row__balance__gte=floor)
        return queryset if ceiling is None else queryset.filter(balance_row__balance__lt=ceiling)
