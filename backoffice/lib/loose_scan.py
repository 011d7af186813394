"""The different values of an indexed column, without reading its rows."""

from django.db import connection, models
from psycopg import sql

# Walks the index from one value to the next, so that a million rows with five values cost five look-ups.
_LOOSE_SCAN = """
WITH RECURSIVE found(value) AS (
    (SELECT {column} FROM {table} ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM {table} WHERE {column} > found.value ORDER BY {column} LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL LIMIT {limit}
"""


def values_of(model: type[models.Model], column: str, *, limit: int) -> list[str]:
    """The values of ``column``, with which an index of the table must begin: sorted, at most ``limit``."""
    query = sql.SQL(_LOOSE_SCAN).format(
        column=sql.Identifier(column), table=sql.Identifier(model._meta.db_table), limit=sql.Literal(limit)
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [value for (value,) in cursor]
