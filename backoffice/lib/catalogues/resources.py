"""What the rows of a catalogue's file are to its model: django-import-export's resources, with cells read as we do.

Every column of a resource is in its file, so a row says all of what it is about; cells are texts (see ``files``).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Model
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.widgets import Widget

from backoffice.lib import money

Row = Mapping[str, Any]
PLAIN_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,10})?", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
TRUTHS = {"true": True, "yes": True, "1": True, "t": True, "false": False, "no": False, "0": False, "f": False}


class Text(Widget):
    """Text as it stands."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        return value

    def render(self, value: Any, obj: Model | None = None, **options: Any) -> str:
        return "" if value is None else str(value)


class OptionalText(Text):
    """Text, or nothing at all."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        return value or None


class PlainDecimal(Text):
    """A number in plain digits. Decimal itself reads much more, up to numbers that it cannot reckon with."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        if not PLAIN_DECIMAL.fullmatch(value):
            raise ValueError("Write it in at most 18 plain digits, such as 10 or 10.50.")
        return Decimal(value)

    def render(self, value: Any, obj: Model | None = None, **options: Any) -> str:
        return "" if value is None else money.plain_credits(value)


class OptionalDecimal(PlainDecimal):
    """A number in plain digits, or nothing at all."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        return super().clean(value) if value else None


class Day(Text):
    """A day of the calendar, such as 2026-01-31."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        if not DAY.fullmatch(value):
            raise ValueError("Write a day as 2026-01-31.")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is no day of the calendar.") from None


class Price(PlainDecimal):
    """Minor units of the currency in the column ``currency``, written as customers see them."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        return money.minor_units(super().clean(value), str((row or {})["currency"]))

    def render(self, value: Any, obj: Any = None, **options: Any) -> str:
        return "" if value is None else f"{money.major_units(value, obj.currency):f}"


class Whole(Text):
    """A whole number from 0 on."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        if not WHOLE.fullmatch(value):
            raise ValueError("Write a whole number in plain digits.")
        return int(value)


class Truth(Text):
    """Yes or no."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> Any:
        if value.lower() not in TRUTHS:
            raise ValueError("Write true or false.")
        return TRUTHS[value.lower()]

    def render(self, value: Any, obj: Model | None = None, **options: Any) -> str:
        return "" if value is None else str(value).lower()


class ByKey(BaseInstanceLoader):
    """The record that a row is about, by the key of its resource."""

    def __init__(self, resource: "CatalogueResource", dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        self._seen: set[Any] = set()

    def get_instance(self, row: Row) -> Model | None:
        text = self.resource.key_of(row)
        found: Model | None = self.resource.find(text)
        # By its record too: 7 and 07 are one. By its text, because what an earlier row adds is a record by now.
        keys = {found.pk if found else None, " ".join(text.casefold().split()) or None} - {None}
        if keys & self._seen:
            raise ValueError(f"{self.resource.key}: {text[:40]} stands twice in the file.")
        self._seen |= keys
        return found


class NoDiff:
    """In the place of the stock comparison, which reads a price without the row whose currency it is in."""

    def __init__(self, resource: "CatalogueResource", instance: Model, new: bool) -> None:
        """What differs is told by ``texts_of``."""

    def compare_with(self, resource: "CatalogueResource", instance: Model | None) -> None:
        """Nothing to do."""


class CatalogueResource(ModelResource):
    """A catalogue's columns. ``key`` is the one that tells which record a row is about."""

    key = "id"

    class Meta:
        instance_loader_class = ByKey
        # The rules of the model, as its form holds them.
        clean_model_instances = True
        skip_unchanged = True
        store_instance = True
        skip_html_diff = True

    def key_of(self, row: Row) -> str:
        """What tells in a row which record it is about."""
        return str(row[self.key])

    def find(self, text: str) -> Model | None:
        """The record of this key; None for a row that is a new one. Raises ValueError when there should be one."""
        if not text:
            return None
        found: Model | None = self.get_queryset().filter(pk=int(text)).first() if WHOLE.fullmatch(text) else None
        if found is None:
            raise ValueError(f"id: there is none with the id {text[:40]}. Leave the id empty for a new one.")
        return found

    def get_diff_class(self) -> type[NoDiff]:
        return NoDiff

    def after_import(self, dataset: Any, result: Any, **options: Any) -> None:
        """Leaves sequences alone: no key comes from a file, and the runtime role may not set them."""

    def handle_import_error(self, result: Any, error: Exception, raise_errors: bool = False) -> None:
        """An error of no row is a mistake of ours, which the stock resource keeps to itself."""
        raise error

    def columns(self) -> Sequence[str]:
        """The columns of the file, in order."""
        return [str(name) for name in self.get_diff_headers()]

    def texts_of(self, record: Model) -> dict[str, str]:
        """A record as a row of the file, by column."""
        fields = self.get_import_fields()
        return {field.column_name: field.widget.render(field.get_value(record), record) for field in fields}

    def column_of(self, attribute: str) -> str:
        """The column that fills a field of the model; empty for none."""
        return next((field.column_name for field in self.get_import_fields() if field.attribute == attribute), "")
