"""Paging by a cursor: the row that a page ends with, instead of a number of rows to skip.

Rows are ordered by one column and a tie-breaker in the same direction, both NOT NULL, so that one composite index
serves the order and the comparison ``ROW(column, tiebreak) > ROW(x, y)`` at any depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from django.contrib.admin.utils import get_fields_from_path
from django.core import signing
from django.db.models import BooleanField, F, Field, Func, Model, QuerySet, Value

# Of an address: the place that the page begins after, or ends before.
AFTER_VAR, BEFORE_VAR = "after", "before"
COLUMN, TIEBREAK = "keyset_column", "keyset_tiebreak"


class Row(Func):
    function = "ROW"


class RowComparison(Func):
    """``ROW(a, b) > ROW(x, y)`` or ``<``: what lies beyond (x, y) in the order of (a, b)."""

    template = "%(expressions)s"
    output_field = BooleanField()

    def __init__(self, left: Row, operator: str, right: Row) -> None:
        super().__init__(left, right, arg_joiner=f" {operator} ")


@dataclass(frozen=True)
class Keyset:
    """An order of a model's rows: paths of the sort column and of the tie-breaker, and the direction of both."""

    model: type[Model]
    column: str
    tiebreak: str
    descending: bool

    def order_by(self, *, backward: bool = False) -> list[str]:
        sign = "-" if self.descending != backward else ""
        return [sign + self.column, sign + self.tiebreak]

    def rows(self, queryset: QuerySet[Any], *, cursor: Sequence[Any] | None, backward: bool) -> QuerySet[Any]:
        """``queryset`` in this order (or against it), from ``cursor`` on, with the cursor of each row beside it."""
        for path in (self.column, self.tiebreak):
            if "__" in path:
                # An outer join to the table of the sort column would keep its index from giving the order.
                queryset = queryset.filter(**{f"{path}__isnull": False})
        if cursor is not None:
            queryset = queryset.filter(self._beyond(cursor, backward=backward))
        queryset = queryset.annotate(**{COLUMN: F(self.column), TIEBREAK: F(self.tiebreak)})
        return queryset.order_by(*self.order_by(backward=backward))

    def cursor_of(self, row: Model) -> str:
        """An opaque, url-safe text for the place of ``row``, which must come from ``rows``."""
        values = [getattr(row, COLUMN), getattr(row, TIEBREAK)]
        return self._signer().sign_object([_plain(value) for value in values])

    def parse(self, cursor: str) -> list[Any] | None:
        """What ``cursor_of`` gave; None for anything else, another order's cursor included."""
        try:
            values = self._signer().unsign_object(cursor)
        except (signing.BadSignature, ValueError):
            return None
        return [field.to_python(value) for field, value in zip(self._fields(), values, strict=True)]

    def _beyond(self, cursor: Sequence[Any], *, backward: bool) -> RowComparison:
        here = [Value(value, output_field=field) for value, field in zip(cursor, self._fields(), strict=True)]
        operator = "<" if self.descending != backward else ">"
        return RowComparison(Row(F(self.column), F(self.tiebreak)), operator, Row(*here))

    def _fields(self) -> "list[Field[Any, Any]]":
        return [target_field(self.model, path) for path in (self.column, self.tiebreak)]

    def _signer(self) -> signing.Signer:
        # Signed with the order in the salt: nobody can hand us a value, or take it to a list of another order.
        order = "|".join([self.model._meta.label_lower, *self.order_by()])
        return signing.Signer(salt=f"backoffice.keyset|{order}")


def target_field(model: type[Model], path: str) -> "Field[Any, Any]":
    """The column that ``path`` leads to; of a relation, the column it refers to. Raises FieldDoesNotExist."""
    field: Any = model._meta.pk if path == "pk" else get_fields_from_path(model, path)[-1]
    while field.is_relation:
        field = field.target_field
    return cast("Field[Any, Any]", field)


def _plain(value: Any) -> int | str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)
