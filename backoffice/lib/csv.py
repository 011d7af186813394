"""CSV straight from PostgreSQL's COPY: bounded memory, one snapshot, and cells that no spreadsheet runs."""

import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DatabaseError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, CharField, DecimalField, Expression, F, Func, QuerySet, TextField, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.http import StreamingHttpResponse
from psycopg import Copy

from backoffice.lib import statements
from backoffice.lib.money import ISO_DECIMALS, exponent

CHUNK_BYTES = 64 * 1024
# A reader who is slower than this no longer holds the database up: what is left goes to a file on our disk first.
PATIENCE_SECONDS = 15
# The last line of a file that is not whole. Chunks end with a row, so it is a line by itself.
BROKEN_OFF = b"THE FILE IS NOT COMPLETE: an error ended it here. Ask for it again.\n"
# A spreadsheet runs what begins with one of these, some of them also in their full width.
RUN_BY_SPREADSHEETS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 (the full-width ones are meant)
# What is written as PostgreSQL writes it: it cannot begin with anything that runs, or is a number that must stay one.
PLAIN_FIELDS = (
    models.IntegerField,
    models.AutoField,
    models.DecimalField,
    models.FloatField,
    models.BooleanField,
    models.DateField,
)


def safe_sql(text: str) -> str:
    """SQL for the expression ``text`` as a cell that no spreadsheet runs; ``text`` stands in it three times."""
    # By the code of the first letter: a regular expression takes longer than all the rest of the export.
    codes = ", ".join(str(ord(letter)) for letter in RUN_BY_SPREADSHEETS)
    return f"CASE WHEN ascii({text}) IN ({codes}) THEN '''' || {text} ELSE {text} END"


class SafeText(Func):
    """Text that a spreadsheet shows instead of running: a leading = + - @ tab or line break gets a ' before it."""

    output_field = CharField()

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        text, params = compiler.compile(self.get_source_expressions()[0])
        return safe_sql(text), (*params,) * 3


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


def major_units_of(minor: str, currency: str) -> Case:
    """The column ``minor`` in major units of the currency that the column ``currency`` names."""
    odd = [When(**{f"{currency}__in": codes}, then=MajorUnits(F(minor), codes[0])) for codes in ISO_DECIMALS.values()]
    return Case(*odd, default=MajorUnits(F(minor), "USD"))


@dataclass(frozen=True)
class Column:
    """A column of the file: its header and the expression (or field path) that fills it.

    Whatever is no number, date or truth value goes through SafeText, so that no export can forget it.
    """

    header: str
    source: str | Expression | Combinable

    def expression(self) -> Any:
        return F(self.source) if isinstance(self.source, str) else self.source


def stream(
    queryset: QuerySet[Any],
    columns: Sequence[Column],
    *,
    connection: BaseDatabaseWrapper | None = None,
    tell: Callable[[int], None] | None = None,
) -> Generator[bytes, None, None]:
    """The rows of ``queryset`` as UTF-8 CSV with a header, in chunks. One statement, so one snapshot.

    ``connection`` is another one than the queryset's, when that one has other work; ``tell`` is called with the number
    of rows of each chunk.
    """
    yield (",".join(_header(column.header) for column in columns) + "\n").encode()
    yield from copied(
        _rows(queryset, columns),
        "(FORMAT csv)",
        lambda copy: in_chunks(copy, tell),
        connection=connection or connections[queryset.db],
    )


def copied(
    rows: QuerySet[Any],
    form: str,
    chunks_of: Callable[[Copy], Iterator[bytes]],
    *,
    connection: BaseDatabaseWrapper,
) -> Generator[bytes, None, None]:
    """What COPY gives for ``rows`` in a ``form`` of PostgreSQL's, as ``chunks_of`` makes it worth sending.

    A slow reader lets the database go after PATIENCE_SECONDS.
    """
    query, params = statements.select(rows)
    with tempfile.TemporaryFile() as rest:
        with connection.cursor() as cursor:
            # COPY takes no parameters from the server's side: the driver writes them in, quoted.
            select = cursor.mogrify(query, params)
            # The cursor's errors are Django's, those of a COPY under way the driver's own.
            with connection.wrap_database_errors, cursor.copy(f"COPY ({select}) TO STDOUT {form}") as copy:
                slow_after = time.monotonic() + PATIENCE_SECONDS
                chunks = chunks_of(copy)
                for chunk in chunks:
                    yield chunk
                    if time.monotonic() > slow_after:
                        rest.writelines(chunks)
        if rest.tell():
            _let_go(connection)
            rest.seek(0)
            yield from iter(partial(rest.read, CHUNK_BYTES), b"")


def _let_go(connection: BaseDatabaseWrapper) -> None:
    if not connection.in_atomic_block:
        connection.close()


def _rows(queryset: QuerySet[Any], columns: Sequence[Column]) -> QuerySet[Any]:
    named = {f"cell_{number}": column.expression() for number, column in enumerate(columns)}
    resolved = queryset.annotate(**named).query.annotations
    return queryset.values_list(*(_safe(resolved[name].output_field, cell) for name, cell in named.items()))


def _safe(field: "models.Field[Any, Any]", cell: Any) -> Any:
    # What UtcText makes begins with a digit, and is too dear to be made twice.
    return cell if isinstance(field, PLAIN_FIELDS) or isinstance(cell, UtcText) else SafeText(Cast(cell, TextField()))


def safe_cell(text: str) -> str:
    """``text`` as a cell of a CSV file that is written here: what a spreadsheet would run gets a ' before it."""
    return f"'{text}" if text[:1] and text[0] in RUN_BY_SPREADSHEETS else text


def as_typed(text: str) -> str:
    """What ``safe_cell`` was made of, so that a file of ours can be read again."""
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in RUN_BY_SPREADSHEETS else text


def _header(text: str) -> str:
    cell = safe_cell(text)
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set('",\r\n') else cell


def in_chunks(rows: Iterable[Any], tell: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """The same bytes in pieces that are worth sending."""
    # COPY hands out a row at a time, too small a piece for a socket.
    buffer, number = bytearray(), 0
    for row in rows:
        buffer += row
        number += 1
        if len(buffer) >= CHUNK_BYTES:
            if tell:
                tell(number)
            yield bytes(buffer)
            buffer.clear()
            number = 0
    if buffer:
        if tell:
            tell(number)
        yield bytes(buffer)


def response(queryset: QuerySet[Any], columns: Sequence[Column], *, name: str, now: datetime) -> StreamingHttpResponse:
    """A download named ``name_YYYY-MM-DD.csv``, the day being UTC's."""
    return response_of(stream(queryset, columns), file_name(name, now))


def response_of(chunks: Generator[bytes, None, None], filename: str) -> StreamingHttpResponse:
    """CSV that is made already, as a download."""
    return download(_marked_if_broken(chunks), filename, "text/csv; charset=utf-8")


def download(content: Iterator[bytes], filename: str, content_type: str) -> StreamingHttpResponse:
    """A file that is sent as it is made, and kept by no cache."""
    answer = StreamingHttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _marked_if_broken(chunks: Generator[bytes, None, None]) -> Iterator[bytes]:
    # The web server ends a body that broke off as it ends a whole one, so the file itself has to tell.
    with closing(chunks):
        try:
            yield from chunks
        except DatabaseError:
            yield BROKEN_OFF
            raise


def file_name(name: str, now: datetime) -> str:
    """``name_YYYY-MM-DD.csv``, the day being UTC's."""
    return f"{name}_{now:%Y-%m-%d}.csv"
