"""The three database roles: the owner of the tables, the runtime role, and one that only reads.

Every table is open to the runtime role for SELECT, INSERT, UPDATE and DELETE unless its app declares less, from
``AppConfig.ready()``. The grants are applied again after every migrate, so that a new table is never left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql


@dataclass(frozen=True)
class TableGrant:
    """Privileges of the runtime role on one table beside SELECT; ``update`` names the columns it may change."""

    insert: bool = True
    delete: bool = False
    update: Sequence[str] = ()


@dataclass(frozen=True)
class Login:
    """A role that logs in, or one that does not yet, when there is no password for it."""

    name: str
    password: str


_declared: dict[str, TableGrant] = {}
_hidden: dict[str, Sequence[str]] = {}

# How long the runtime role may run, wait for a lock, or sit in a transaction, and when a statement ends whose process
# was killed: until then it keeps its locks. A million rows are exported in seconds.
TIMEOUTS = {
    "statement_timeout": "10min",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "5min",
    "client_connection_check_interval": "5s",
}


def declare(table: str, grant: TableGrant) -> None:
    """State that the runtime role has SELECT and ``grant`` on ``table`` and nothing more."""
    _declared[table] = grant


def hide(table: str, columns: Sequence[str] = ()) -> None:
    """Keep ``columns`` of ``table``, or all of it when none are named, from the read-only role."""
    _hidden[table] = columns


def readonly_login(url: str, app_role: str) -> Login:
    """The login in ``url``, or ``backoffice_readonly`` beside ``backoffice_app``, without a password."""
    if url:
        parts = urlsplit(url)
        return Login(unquote(parts.username or ""), unquote(parts.password or ""))
    return Login(app_role.removesuffix("_app") + "_readonly", "")


def exists(connection: BaseDatabaseWrapper, role: str) -> bool:
    """Whether the server knows ``role``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        return cursor.fetchone() is not None


def ensure(connection: BaseDatabaseWrapper, login: Login) -> None:
    """Make the role, or give it its password anew."""
    if not exists(connection, login.name):
        _execute(connection, "CREATE ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE", login.name)
    if login.password:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(login.name), sql.Literal(login.password)
                )
            )


def open_schema(connection: BaseDatabaseWrapper, *names: str) -> None:
    """Let the roles connect and see the schema, in which nobody but the owner makes anything."""
    database = connection.settings_dict["NAME"]
    _execute(connection, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for name in names:
        _execute(connection, "GRANT CONNECT ON DATABASE {} TO {}", str(database), name)


def apply(connection: BaseDatabaseWrapper, *, app_role: str, readonly_role: str | None) -> None:
    """Grant the runtime role what is declared and the read-only role SELECT. ``connection`` is the owner's.

    All in one transaction: what is declared closed is never open, not even while it is granted anew.
    """
    with transaction.atomic(using=connection.alias):
        tables = set(connection.introspection.table_names())
        _grant_defaults(connection, app_role, "SELECT, INSERT, UPDATE, DELETE")
        _execute(connection, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", app_role)
        for table in sorted(_declared.keys() & tables):
            _restrict(connection, table, app_role, _declared[table])
        if readonly_role:
            _grant_defaults(connection, readonly_role, "SELECT")
            for table in sorted(_hidden.keys() & tables):
                _hide(connection, table, readonly_role, _hidden[table])


def limit(connection: BaseDatabaseWrapper, role: str) -> None:
    """Give the role's sessions time limits, so that a forgotten one does not hold up all the others."""
    for setting, value in TIMEOUTS.items():
        _execute(connection, f"ALTER ROLE {{}} SET {setting} = '{value}'", role)


def _grant_defaults(connection: BaseDatabaseWrapper, role: str, privileges: str) -> None:
    _execute(connection, "GRANT USAGE ON SCHEMA public TO {}", role)
    _execute(connection, f"GRANT {privileges} ON ALL TABLES IN SCHEMA public TO {{}}", role)


def _restrict(connection: BaseDatabaseWrapper, table: str, role: str, grant: TableGrant) -> None:
    _execute(connection, "REVOKE ALL ON {} FROM {}", table, role)
    for verb, allowed in (("SELECT", True), ("INSERT", grant.insert), ("DELETE", grant.delete)):
        if allowed:
            _execute(connection, f"GRANT {verb} ON {{}} TO {{}}", table, role)
    for column in grant.update:
        _execute(connection, "GRANT UPDATE ({}) ON {} TO {}", column, table, role)


def _hide(connection: BaseDatabaseWrapper, table: str, role: str, columns: Sequence[str]) -> None:
    _execute(connection, "REVOKE ALL ON {} FROM {}", table, role)
    if columns:
        with connection.cursor() as cursor:
            described = connection.introspection.get_table_description(cursor, table)
        for column in described:
            if column.name not in columns:
                _execute(connection, "GRANT SELECT ({}) ON {} TO {}", column.name, table, role)


def _execute(connection: BaseDatabaseWrapper, statement: str, *identifiers: str) -> None:
    """Run a statement of ours with names filled in as quoted identifiers."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, identifiers)))
