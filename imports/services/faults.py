"""Errors of a file on their way: any number of them, in a table of the transaction."""

from collections.abc import Iterator, Sequence
from typing import IO, Any

from django.db import connection

from backoffice.lib.csv import safe_sql
from backoffice.lib.statements import copy_in
from imports.report import SHOWN_FAULTS, SHOWN_VALUE, Fault

# Whoever has more than these looks for one cause.
MOST_FAULTS = 100_000
COLUMNS = ("line", "in_column", "value", "problem", "advice")
NAMED = ", ".join(COLUMNS)
HEADER = b"Line,Column,Value,Problem,What to do\n"

BEGIN = """
DROP TABLE IF EXISTS import_faults;
CREATE TEMPORARY TABLE import_faults (line bigint, in_column text, value text, problem text, advice text)
ON COMMIT DROP
"""


def begin() -> None:
    """Make room for them, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)


def add(faults: Sequence[Fault]) -> None:
    """Note errors that were found while reading."""
    if faults:
        copy_in("import_faults", COLUMNS, [(f.line, f.column, f.value, f.problem, f.advice) for f in faults])


def add_found(query: str, parameters: Any = None) -> None:
    """Note the errors that a query finds among what is staged."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO import_faults ({NAMED}) SELECT line, in_column, left(value, {SHOWN_VALUE}), problem, advice"  # noqa: S608
            f" FROM ({query}) AS found(line, in_column, value, problem, advice) LIMIT {MOST_FAULTS}",
            parameters,
        )


def count() -> int:
    """How many there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM import_faults")
        (number,) = cursor.fetchone() or (0,)
    return int(number)


def first() -> list[Fault]:
    """Those that come first in the file."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {NAMED} FROM import_faults ORDER BY line, in_column LIMIT {SHOWN_FAULTS}")  # noqa: S608
        return [Fault(*row) for row in cursor]


def write(file: IO[bytes]) -> None:
    """All of them as CSV, in the order of the file; what they quote is safe in a spreadsheet."""
    file.write(HEADER)
    file.writelines(_as_csv())


def _as_csv() -> Iterator[bytes]:
    select = f"SELECT line, in_column, {safe_sql('value')}, problem, advice FROM import_faults ORDER BY line, in_column"  # noqa: S608
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)") as copy,
    ):
        for row in copy:
            yield bytes(row)
