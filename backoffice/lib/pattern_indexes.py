"""For migrations: doing without the second index that Django gives to each unique text.

It serves searches by the beginning of a text. Keys and ids of others are looked up whole, and each row that is written,
each charge among them, would pay for it.
"""

from django.db.migrations import RunSQL


def drop(name: str, *, table: str, column: str) -> RunSQL:
    """Drop the index ``name`` on the beginnings of ``column``."""
    return RunSQL(f"DROP INDEX {name}", f"CREATE INDEX {name} ON {table} ({column} varchar_pattern_ops)")
