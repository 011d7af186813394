"""The owner's role and database, the only things that the superuser makes."""

import psycopg
from psycopg import sql

from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.passwords import secret
from backoffice.lib.embedded.places import Places

DATABASE = "backoffice"
SUPERUSER = "postgres"
OWNER = "backoffice_owner"
APP = "backoffice_app"
READONLY = "backoffice_readonly"
PASSWORDS = {
    SUPERUSER: "superuser-password",
    OWNER: "owner-password",
    APP: "app-password",
    READONLY: "readonly-password",
}


def ready(places: Places) -> bool:
    """Whether the owner can log in to the database, which is the last thing that `create` sees to."""
    try:
        _connect(places, OWNER, DATABASE).close()
    except psycopg.OperationalError:
        return False
    return True


def superuser_enters(places: Places) -> bool:
    """Whether the superuser's password is the one in our secrets. Raises EmbeddedError if that stays unknown."""
    try:
        _connect(places, SUPERUSER, "postgres").close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            return False
        raise EmbeddedError(f"the database cannot be entered: {error}") from error
    return True


def create(places: Places) -> None:
    """Make or mend the owner's role and database; safe to repeat.

    Raises EmbeddedError when the superuser's password is not the one in our secrets.
    """
    if not superuser_enters(places):
        raise EmbeddedError(
            f"the passwords in {places.data_dir / 'secrets'} are not those of the running database: "
            "stop what uses it and start again"
        )
    try:
        with _connect(places, SUPERUSER, "postgres") as connection:
            _create_owner(connection, secret(places.data_dir, PASSWORDS[OWNER]))
            _create_database(connection)
    except psycopg.Error as error:
        raise EmbeddedError(f"the owner's role and database could not be made: {error}") from error


def _create_owner(connection: psycopg.Connection, password: str) -> None:
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(OWNER)))
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN CREATEDB CREATEROLE NOSUPERUSER PASSWORD {}").format(
            sql.Identifier(OWNER), sql.Literal(password)
        )
    )


def _create_database(connection: psycopg.Connection) -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
        )


def _connect(places: Places, role: str, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(places.sockets),
        dbname=database,
        user=role,
        password=secret(places.data_dir, PASSWORDS[role]),
        autocommit=True,
    )
