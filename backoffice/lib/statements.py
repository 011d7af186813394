"""Statements beside the ORM: those that run often, prepared on the server; and querysets as parts of others.

Django binds parameters on the client and never prepares, which suits most queries. What runs thousands of times a
second would pay for parsing and planning each time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet


def ask(statement: str, parameters: Sequence[Any]) -> CursorWrapper:
    """Run a statement with parameters bound by the server, which keeps its plan after a few runs."""
    # The connection itself: each use of Django's shorthand for it looks it up again.
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    bare: Any = psycopg.Cursor(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    cursor = wrap(bare)
    cursor.execute(statement, parameters)
    return cursor


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows into a table, or a table of the transaction, by COPY."""
    connection = connections[DEFAULT_DB_ALIAS]
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def select(queryset: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement of a queryset and its parameters, also when Django knows that there are no rows."""
    sql, parameters = queryset.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False).as_sql()
    return sql, tuple(parameters)


def array(values: Iterable[Any]) -> str:
    """PostgreSQL's text form of an array of numbers, times or texts, to be cast: ``%s::numeric[]``.

    The driver's own lists are adapted item by item, which for a thousand rows takes longer than writing them.
    """
    return "{" + ",".join([_item(value) for value in values]) + "}"


def _item(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
