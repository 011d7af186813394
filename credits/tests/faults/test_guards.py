"""The ledger against a real login of the runtime role, and against the owner's own hand."""

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from credits import services
from credits.tests.faults.acts import posting
from tests import databases
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger():
    user = CustomerFactory()
    services.post(posting(user.pk, 100, "in"))
    services.post(posting(user.pk, -30, "out"))
    return user


def as_app():
    url = databases.on_database(databases.app_url(), settings.DATABASES["default"]["NAME"])
    return psycopg.connect(url, autocommit=True)


def as_owner():
    return databases.owner_connection(settings.DATABASES["default"]["NAME"])


DENIED_TO_APP = [
    "UPDATE credits_credittransaction SET amount = 1",
    "DELETE FROM credits_credittransaction",
    "TRUNCATE credits_credittransaction CASCADE",
    "SELECT * FROM credits_credittransaction FOR UPDATE",
    "ALTER TABLE credits_credittransaction DISABLE TRIGGER ALL",
    "DROP TABLE credits_credittransaction CASCADE",
    "UPDATE credits_creditdraw SET amount = 1",
    "DELETE FROM credits_creditdraw",
    "TRUNCATE credits_creditdraw",
    "UPDATE credits_creditlot SET amount = 1000",
    "UPDATE credits_creditlot SET expires_at = NULL",
    "DELETE FROM credits_creditlot",
    "DELETE FROM credits_creditaccount",
    "UPDATE credits_creditaccount SET user_id = 7",
    "SET session_replication_role = 'replica'",
    "SET ROLE backoffice_owner",
    "CREATE TABLE mine (id int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
]


@pytest.mark.parametrize("statement", DENIED_TO_APP)
def test_the_runtime_role_is_denied(ledger, statement):
    with as_app() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_no_setting_of_a_session_opens_the_ledger(ledger):
    with as_app() as connection:
        connection.execute("SELECT set_config('pgtrigger.ignore', '{*}', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM credits_credittransaction")


REFUSED_TO_OWNER = [
    "UPDATE credits_credittransaction SET amount = amount",
    "DELETE FROM credits_credittransaction WHERE false",
    "TRUNCATE credits_credittransaction CASCADE",
    "DELETE FROM credits_creditdraw",
    "UPDATE credits_creditlot SET amount = amount + 1",
    "DELETE FROM credits_creditlot",
    "TRUNCATE credits_creditaccount CASCADE",
]


@pytest.mark.parametrize("statement", REFUSED_TO_OWNER)
def test_the_guards_hold_against_the_owner_too(ledger, statement):
    with as_owner() as connection, pytest.raises(psycopg.errors.RestrictViolation, match="evidence"):
        connection.execute(statement)


def tampered(statement):
    """What verify_ledger says after the owner has taken the guards off and edited a row by hand."""
    with as_owner() as connection:
        for table in ("credittransaction", "creditdraw", "creditlot", "creditaccount"):
            connection.execute(f"ALTER TABLE credits_{table} DISABLE TRIGGER USER")
        connection.execute(statement)
        for table, trigger in connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


TAMPERING = {
    "UPDATE credits_credittransaction SET amount = 130, balance_after = 130 WHERE seq = 1": "balance_before is",
    "UPDATE credits_credittransaction SET seq = 5 WHERE seq = 2": "seq 5 follows 1",
    "UPDATE credits_credittransaction SET created_at = '2001-01-01' WHERE seq = 2": "is before",
    "UPDATE credits_creditlot SET remaining = 71": "draws 30",
    "UPDATE credits_creditdraw SET amount = 29": "draws 29",
    "UPDATE credits_creditdraw SET transaction_id = transaction_id - 1": "has a draw of 30",
    "UPDATE credits_creditlot SET amount = 101, remaining = 71": "lots of 101",
    "UPDATE credits_creditlot SET source_kind = 'purchase'": "purchase lot",
    "UPDATE credits_credittransaction SET kind = 'expiry' WHERE seq = 2": "consumed 30",
    "UPDATE credits_creditaccount SET lifetime_purchased = 5": "purchased 5",
    "UPDATE credits_creditaccount SET last_posted_at = now() + interval '1 day'": "last entry",
    "UPDATE credits_creditaccount SET balance = 71, lots_total = 71": "lots_total 71",
    "UPDATE credits_creditaccount SET balance = 99, lots_total = 99": "balance 99",
    "UPDATE accounts_user SET demo_mode = true": "demo customer",
    "UPDATE accounts_customerfigures SET balance = 1": "figures say 1",
    "UPDATE accounts_customerfigures SET plan = 'gold'": "differ",
    "DELETE FROM accounts_customerfigures": "no row of figures",
}


@pytest.mark.parametrize("statement", TAMPERING)
def test_verify_ledger_names_the_row_that_was_edited_by_hand(ledger, statement, capsys):
    tampered(statement)
    with pytest.raises(CommandError, match="broken rows"):
        call_command("verify_ledger")
    told = capsys.readouterr().err
    assert f"account {ledger.pk}, row" in told
    assert TAMPERING[statement] in told


def test_verify_ledger_is_content_with_an_honest_ledger(ledger, capsys):
    call_command("verify_ledger")
    assert capsys.readouterr().out.startswith("ok: 1 accounts")
