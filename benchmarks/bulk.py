"""Tables without indexes and checks of other tables while they are filled: ten million rows in a minute or two.

The definitions wait in a table of the same database, so that a run that was cut off can still put them back.
"""

from collections.abc import Sequence

import psycopg

WAITING = "CREATE TABLE IF NOT EXISTS bench_waiting (turn int, definition text)"

# Foreign keys last, and unique constraints with the indexes.
TAKE_DOWN = """
SELECT CASE contype WHEN 'f' THEN 2 ELSE 1 END,
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
       format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)
FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT 1, pg_get_indexdef(indexrelid), format('DROP INDEX %%s', indexrelid::regclass)
FROM pg_index
WHERE indrelid = ANY (%(tables)s::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY 1 DESC
"""


def strip(connection: psycopg.Connection, *, tables: Sequence[str]) -> None:
    """Take indexes, unique constraints and foreign keys of ``tables`` down; primary keys stay."""
    connection.execute(WAITING)
    for turn, definition, drop in connection.execute(TAKE_DOWN, {"tables": list(tables)}).fetchall():
        connection.execute("INSERT INTO bench_waiting VALUES (%s, %s)", [turn, definition])
        connection.execute(drop)


def restore(connection: psycopg.Connection) -> None:
    """Put back what ``strip`` took down."""
    waiting = connection.execute("DELETE FROM bench_waiting RETURNING turn, definition").fetchall()
    for _, definition in sorted(waiting):
        connection.execute(definition)
