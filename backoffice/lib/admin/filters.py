"""Filters that the stock admin lacks."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class DateRangeFilter(FieldListFilter):
    """From one day to another, both included, in the reader's time zone: ``("joined", DateRangeFilter)``."""

    template = "admin/date_range_filter.html"

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Any],
        model_admin: "ModelAdmin[Any]",
        field_path: str,
    ) -> None:
        self.from_name, self.to_name = f"{field_path}_from", f"{field_path}_to"
        super().__init__(field, request, params, model, model_admin, field_path)
        self.from_text, self.to_text = (str(self._given(name)) for name in (self.from_name, self.to_name))

    def expected_parameters(self) -> list[str | None]:
        return [self.from_name, self.to_name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = _day(self.from_text), _day(self.to_text)
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _start_of(first)})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _start_of(last + timedelta(days=1))})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """The other parameters of the address, which the small form of this filter carries along."""
        yield from _others(changelist, self.expected_parameters())

    def chip_text(self) -> str:
        return " to ".join([self.from_text or "…", self.to_text or "…"])

    def _given(self, name: str) -> Any:
        value = self.used_parameters.get(name) or ""
        return value[-1] if isinstance(value, list) else value


class ExactTextFilter(FieldListFilter):
    """Rows whose column is exactly what was typed: ``("request_id", ExactTextFilter)``."""

    template = "admin/text_filter.html"

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Any],
        model_admin: "ModelAdmin[Any]",
        field_path: str,
    ) -> None:
        self.name = f"{field_path}__exact"
        super().__init__(field, request, params, model, model_admin, field_path)
        given = self.used_parameters.get(self.name) or ""
        self.text = str(given[-1] if isinstance(given, list) else given).strip()

    def expected_parameters(self) -> list[str | None]:
        return [self.name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.name: self.text}) if self.text else queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """The other parameters of the address, which the small form of this filter carries along."""
        yield from _others(changelist, self.expected_parameters())

    def chip_text(self) -> str:
        return self.text


def _others(changelist: ChangeList, names: list[str | None]) -> Iterator[dict[str, Any]]:
    for name, values in changelist.filter_params.items():
        if name not in names:
            for value in values:
                yield {"name": name, "value": value}


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise IncorrectLookupParameters(error) from error
    # The ends of the calendar have no day before or after them, in some zone.
    if not 1900 <= day.year <= 9000:
        raise IncorrectLookupParameters(f"{text} is out of range")
    return day


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
