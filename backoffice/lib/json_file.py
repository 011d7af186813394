"""JSON straight from PostgreSQL: an array of objects in bounded memory and one snapshot."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.functions import JSONObject
from django.http import StreamingHttpResponse

from backoffice.lib.csv import Column, copied, download, in_chunks


def stream(queryset: QuerySet[Any], columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows as objects, whose keys are the headers in small letters with underscores."""
    fields = {key_of(column): column.expression() for column in columns}
    objects = queryset.values_list(JSONObject(**fields))
    yield from copied(objects, "", lambda copy: in_chunks(_lines(copy.rows())), connection=connections[queryset.db])


def key_of(column: Column) -> str:
    """``old_values`` of ``Old Values``."""
    return column.header.lower().replace(" ", "_")


def response(queryset: QuerySet[Any], columns: Sequence[Column], *, name: str, now: datetime) -> StreamingHttpResponse:
    """A download named ``name_YYYY-MM-DD.json``, the day being UTC's."""
    return download(stream(queryset, columns), f"{name}_{now:%Y-%m-%d}.json", "application/json")


def _lines(rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
    separator = "["
    for (text,) in rows:
        yield f"{separator}\n{text}".encode()
        separator = ","
    yield b"[]\n" if separator == "[" else b"\n]\n"
