"""The three roles of the database, by their own logins."""

import threading

import psycopg
import pytest
from django.conf import settings

from tests import databases
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)


MAY = """
SELECT has_table_privilege('audit_auditentry', 'DELETE'), has_table_privilege('audit_chainhead', 'UPDATE')
"""


def database():
    return settings.DATABASES["default"]["NAME"]


def as_reader():
    url = databases.readonly_url()
    return psycopg.connect(databases.on_database(url, database()), autocommit=True)


def test_readers_read_but_neither_write_nor_see_what_logs_somebody_in():
    CustomerFactory(email="ada@example.com")
    with as_reader() as connection:
        assert connection.execute("SELECT email FROM accounts_user").fetchall() == [("ada@example.com",)]
        for statement in (
            "SELECT password FROM accounts_user",
            "SELECT * FROM django_session",
            "UPDATE accounts_user SET plan = 'x'",
            "INSERT INTO billing_creditpack (name) VALUES ('x')",
            "DELETE FROM accounts_activityevent",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_evidence_is_never_open_while_the_grants_are_made_anew():
    seen, done = set(), threading.Event()

    def watch():
        with psycopg.connect(databases.on_database(databases.app_url(), database()), autocommit=True) as connection:
            while not done.is_set():
                seen.add(connection.execute(MAY).fetchone())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(3):
        databases.manage("setup_database", database())
    done.set()
    watcher.join()
    assert seen == {(False, False)}


def test_a_forgotten_session_of_the_runtime_role_has_its_limits():
    with psycopg.connect(databases.on_database(databases.app_url(), database())) as connection:
        limits = [
            connection.execute(f"SHOW {name}").fetchone()[0]
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "client_connection_check_interval",
            )
        ]
    assert limits == ["10min", "30s", "5min", "5s"]
