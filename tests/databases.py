"""Test databases: made by the owner, worked on as the runtime role, emptied by the owner.

A template is migrated once a run; every test process clones it, and so does a benchmark in a test. Tables of evidence
refuse to be emptied, by the owner too; so the flush takes their guards off and puts them back on inside one
transaction, and proves that it did.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from backoffice.lib import embedded

REPOSITORY = Path(__file__).resolve().parent.parent
# Rows that migrations and post_migrate made, which a fresh database has too.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}
# Rows that post_migrate made and that tests change: kept aside in the template and put back after each flush. In an
# order that their foreign keys allow.
RESTORED_TABLES = ("auth_group", "auth_group_permissions", "accounts_defaultrole")
PRISTINE = "pristine"
# Where the workers of a test run, and what they start, read the name of its template.
TEMPLATE = "BACKOFFICE_TESTS_TEMPLATE"
VACUUM_SECONDS = 30
# Rows of one table above which all tables are truncated.
MANY = 500
CHAIN_HEAD = "INSERT INTO audit_chainhead (id, seq, hash) VALUES (1, 0, repeat('0', 64))"


def owner_url() -> str:
    return os.environ.get("DATABASE_OWNER_URL") or embedded.urls(embedded.data_dir(os.environ)).owner


def app_url() -> str:
    return os.environ.get("DATABASE_URL") or embedded.urls(embedded.data_dir(os.environ)).database


def readonly_url() -> str:
    return os.environ.get("DATABASE_READONLY_URL") or embedded.urls(embedded.data_dir(os.environ)).readonly


def on_database(url: str, name: str) -> str:
    """The same login on another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def owner_connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(on_database(owner_url(), database), autocommit=True) as connection:
        yield connection


def _home() -> str:
    return urlsplit(owner_url()).path.lstrip("/")


def _on_server(statement: str, *names: str) -> None:
    with owner_connection(_home()) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def create(name: str, template: str | None = None) -> None:
    drop(name)
    if template:
        _on_server("CREATE DATABASE {} TEMPLATE {}", name, template)
    else:
        _on_server("CREATE DATABASE {}", name)


def drop(name: str) -> None:
    """Drop a database with whoever is still in it; wait for the vacuum's workers, which no owner may end."""
    deadline = time.monotonic() + VACUUM_SECONDS
    while True:
        try:
            return _on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        except psycopg.errors.InsufficientPrivilege:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def manage(command: str, database: str) -> None:
    """Run a management command as the owner, on ``database``."""
    environment = os.environ | {
        "BACKOFFICE_ENV": "development",
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "DATABASE_URL": on_database(app_url(), database),
        "DATABASE_OWNER_URL": on_database(owner_url(), database),
        "DATABASE_READONLY_URL": on_database(readonly_url(), database),
    }
    subprocess.run(
        [sys.executable, "-m", "django", command],
        env=environment,
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def template() -> str:
    """The name of the migrated database that this test run clones, made when it is first asked for."""
    name = os.environ[TEMPLATE]
    with owner_connection(_home()) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            half = f"{name}_half"
            _build(half)
            _on_server("ALTER DATABASE {} RENAME TO {}", half, name)
    return name


def drop_template() -> None:
    for name in (os.environ[TEMPLATE], f"{os.environ[TEMPLATE]}_half"):
        drop(name)


def build_template(name: str) -> None:
    """A migrated database ``name``. In a test run it is cloned, for to migrate it takes long."""
    if TEMPLATE in os.environ:
        create(name, template())
    else:
        _build(name)


def _build(name: str) -> None:
    create(name)
    with owner_connection(_home()) as connection:
        # The roles are the server's: two who set them up at one moment would trip over each other.
        connection.execute("SELECT pg_advisory_lock(hashtext('build_template'))")
        manage("setup_database", name)
        manage("migrate", name)
    with owner_connection(name) as connection:
        connection.execute(f"CREATE SCHEMA {PRISTINE}")
        for table in RESTORED_TABLES:
            connection.execute(f"CREATE TABLE {PRISTINE}.{table} AS TABLE {table}")


def flush(database: str) -> None:
    """Empty every table as the owner and assert that all guards are on again.

    Most tests leave a few rows in a few tables: those are deleted, which takes a tenth of the time of truncating all.
    """
    with owner_connection(database) as connection, connection.transaction():
        guards = _guards(connection)
        assert guards, "the evidence must be guarded"
        left = _left(connection)
        has_many = any(rows > MANY for rows in left.values())
        touched = [guard for guard in guards if has_many or guard[0] in left]
        _switch(connection, touched, "DISABLE TRIGGER")
        _truncate(connection) if has_many else _delete(connection, left)
        _restore(connection)
        # Foreign keys are looked at now, while nothing is locked against them.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        _switch(connection, touched, "ENABLE ALWAYS TRIGGER")
        assert _guards(connection) == guards, "the flush left a guard off"


def _left(connection: psycopg.Connection) -> dict[str, int]:
    """The tables that a test may have left rows in, with their number, counted up to MANY and one."""
    tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    counted = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, count(*) FROM (SELECT FROM {} LIMIT {}) AS counted").format(
            sql.Literal(name), sql.Identifier(name), sql.Literal(MANY + 1)
        )
        for name in tables
        if name not in KEPT_TABLES
    )
    return {name: rows for name, rows in connection.execute(counted) if rows}


def _truncate(connection: psycopg.Connection) -> None:
    tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    emptied = sql.SQL(", ").join(sql.Identifier(name) for name in tables if name not in KEPT_TABLES)
    connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(emptied))


def _delete(connection: psycopg.Connection, tables: Iterable[str]) -> None:
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    # People last: the audit log's foreign key is the one that does not wait for the end of the transaction.
    for table in sorted(tables, key=lambda name: name == "accounts_user"):
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    sequences = connection.execute(
        "SELECT pg_get_serial_sequence(table_name, column_name) FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_identity = 'YES' AND table_name = ANY(%s)",
        [list(tables)],
    ).fetchall()
    for (sequence,) in sequences:
        connection.execute("SELECT setval(%s, 1, false)", [sequence])


def _restore(connection: psycopg.Connection) -> None:
    connection.execute(CHAIN_HEAD)
    for table in RESTORED_TABLES:
        connection.execute(f"INSERT INTO {table} SELECT * FROM {PRISTINE}.{table}")
    for table in ("auth_group", "auth_group_permissions"):
        connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")


def _guards(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
        " WHERE tgenabled = 'A' AND NOT tgisinternal ORDER BY 1, 2"
    ).fetchall()


def _switch(connection: psycopg.Connection, guards: list[tuple[str, str]], switch: str) -> None:
    for table, trigger in guards:
        connection.execute(
            sql.SQL("ALTER TABLE {} {} {}").format(sql.Identifier(table), sql.SQL(switch), sql.Identifier(trigger))
        )
