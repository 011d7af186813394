"""SQL for migrations: triggers that keep evidence as it was written, against the owner of the tables too.

The triggers are ENABLE ALWAYS, so that ``session_replication_role`` does not switch them off, and no setting of a
session reaches them. Only DDL by the owner can, which leaves its mark in the migrations.
"""

from collections.abc import Sequence

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION backoffice_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are evidence', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""


def append_only(table: str) -> str:
    """Rows of ``table`` can be inserted and read, nothing else."""
    return REFUSE_CHANGE + _statement_guard(table, "UPDATE") + no_removal(table)


def no_removal(table: str) -> str:
    """Rows of ``table`` cannot be deleted, nor the table emptied."""
    return REFUSE_CHANGE + _statement_guard(table, "DELETE") + _statement_guard(table, "TRUNCATE")


def frozen_columns(table: str, columns: Sequence[str], *, name: str = "") -> str:
    """``columns`` of ``table`` keep the value they were inserted with. A second guard of a table needs a ``name``.

    UPDATE OF fires only when one of them is named in the statement, so updates of the others pay nothing.
    """
    trigger = f"{table}_frozen_{name}" if name else f"{table}_frozen"
    names = ", ".join(columns)
    old = ", ".join(f"OLD.{column}" for column in columns)
    new = ", ".join(f"NEW.{column}" for column in columns)
    return REFUSE_CHANGE + (
        f"CREATE TRIGGER {trigger} BEFORE UPDATE OF {names} ON {table} FOR EACH ROW "
        f"WHEN (ROW({old}) IS DISTINCT FROM ROW({new})) EXECUTE FUNCTION backoffice_refuse_change();\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger};\n"
    )


def erasable_columns(table: str, columns: Sequence[str], *, emptied: str = "''") -> str:
    """``columns`` of ``table`` keep what they were inserted with, or are emptied for good: to ``emptied``, as SQL."""
    trigger = f"{table}_erasable_{columns[0]}"
    rewritten = " OR ".join(
        f"(NEW.{column} IS DISTINCT FROM OLD.{column} AND NEW.{column} IS DISTINCT FROM {emptied})"
        for column in columns
    )
    return REFUSE_CHANGE + (
        f"CREATE TRIGGER {trigger} BEFORE UPDATE OF {', '.join(columns)} ON {table} FOR EACH ROW "
        f"WHEN ({rewritten}) EXECUTE FUNCTION backoffice_refuse_change();\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger};\n"
    )


def _statement_guard(table: str, verb: str) -> str:
    name = f"{table}_no_{verb.lower()}"
    return (
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH STATEMENT "
        f"EXECUTE FUNCTION backoffice_refuse_change();\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};\n"
    )
