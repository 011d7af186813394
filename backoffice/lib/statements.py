"""Statements that run often, prepared on the server.

Django binds parameters on the client and never prepares, which suits most queries. What runs thousands of times a
second would pay for parsing and planning each time.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def ask(statement: str, parameters: Sequence[Any]) -> CursorWrapper:
    """Run a statement with parameters bound by the server, which keeps its plan after a few runs."""
    connection.ensure_connection()
    bare: Any = psycopg.Cursor(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    cursor = wrap(bare)
    cursor.execute(statement, parameters)
    return cursor
