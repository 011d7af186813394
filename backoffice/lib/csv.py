"""CSV straight from PostgreSQL's COPY: bounded memory, one snapshot, and cells that no spreadsheet runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import CharField, DecimalField, Expression, F, Func, QuerySet
from django.db.models.expressions import Combinable
from django.http import StreamingHttpResponse

from backoffice.lib import statements
from backoffice.lib.money import exponent

CHUNK_BYTES = 64 * 1024


class SafeText(Func):
    """Text that a spreadsheet shows instead of running: a leading = + - @ tab or line break gets a ' before it."""

    function = "regexp_replace"
    template = r"%(function)s(%(expressions)s, E'^([=+@\\t\\r\\n-])', E'''\\1')"
    output_field = CharField()


class UtcText(Func):
    """A moment as ISO 8601 in UTC, to the second."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    output_field = CharField()


class PlainNumber(Func):
    """A numeric without trailing zeros: 100 instead of 100.0000."""

    function = "trim_scale"


class MajorUnits(Func):
    """Minor units of a currency as a number in its major units: 1234 is 12.34 for USD."""

    template = "round(%(expressions)s / 10::numeric ^ %(exponent)s, %(exponent)s)"
    output_field = DecimalField()

    def __init__(self, minor: Combinable, currency: str) -> None:
        super().__init__(minor, exponent=exponent(currency))


@dataclass(frozen=True)
class Column:
    """A column of the file: its header and the expression (or field path) that fills it.

    Every column of text goes through SafeText here, so that no export can forget it.
    """

    header: str
    source: str | Expression | Combinable
    is_text: bool = False

    def expression(self) -> Any:
        source = F(self.source) if isinstance(self.source, str) else self.source
        return SafeText(source) if self.is_text else source


def stream(queryset: QuerySet[Any], columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows of ``queryset`` as UTF-8 CSV with a header, in chunks. One statement, so one snapshot."""
    rows = queryset.values_list(*(column.expression() for column in columns))
    query, params = statements.select(rows)
    with connection.cursor() as cursor:
        # COPY takes no parameters from the server's side: the driver writes them in, quoted.
        select = cursor.mogrify(query, params)
        yield (",".join(_cell(column.header) for column in columns) + "\n").encode()
        with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)") as copy:
            yield from _in_chunks(copy)


def _cell(header: str) -> str:
    return '"' + header.replace('"', '""') + '"' if set(header) & set('",\n') else header


def _in_chunks(rows: Iterator[Any]) -> Iterator[bytes]:
    # COPY hands out a row at a time, too small a piece for a socket.
    buffer = bytearray()
    for row in rows:
        buffer += row
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def response(queryset: QuerySet[Any], columns: Sequence[Column], *, name: str, now: datetime) -> StreamingHttpResponse:
    """A download named ``name_YYYY-MM-DD.csv``, the day being UTC's."""
    answer = StreamingHttpResponse(stream(queryset, columns), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}_{now:%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer
