"""The ledger against a real login of the runtime role, and against the owner's own hand."""

from decimal import Decimal

import psycopg
import pytest
from django.conf import settings
from django.db.models import ProtectedError

from credits import selectors, services
from credits.kinds import TransactionKind
from credits.tests.faults.acts import posting, scene
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
    "UPDATE credits_creditlot SET parent_id = id",
    "UPDATE credits_creditdebt SET amount = 1",
    "UPDATE credits_creditdebt SET transaction_id = 1",
    "DELETE FROM credits_creditdebt",
    "TRUNCATE credits_creditdebt",
    "UPDATE credits_credithold SET amount = 1",
    "UPDATE credits_credithold SET expires_at = now()",
    "DELETE FROM credits_credithold",
    "TRUNCATE credits_credithold",
    "UPDATE credits_integrityrun SET faults = 0",
    "DELETE FROM credits_integrityrun",
    "TRUNCATE credits_integrityrun",
    "UPDATE credits_idempotencyrecord SET fingerprint = 'x'",
    "UPDATE credits_idempotencyrecord SET result = '{}'",
    "TRUNCATE credits_idempotencyrecord",
    "ALTER TABLE credits_creditdebt DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION credits_charge() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION credits_open_accounts",
    "SET session_replication_role = 'replica'",
    "SET ROLE backoffice_owner",
    "CREATE TABLE mine (id int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
]


@pytest.mark.parametrize("statement", DENIED_TO_APP)
def test_the_runtime_role_is_denied(ledger, statement):
    with as_app() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_runtime_role_may_prune_old_keys(ledger):
    with as_app() as connection:
        pruned = connection.execute("DELETE FROM credits_idempotencyrecord WHERE created_at < now() + interval '1 day'")
    assert pruned.rowcount == 2


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
    "UPDATE credits_creditlot SET parent_id = id",
    "UPDATE credits_creditdebt SET amount = amount + 1",
    "DELETE FROM credits_creditdebt",
    "UPDATE credits_credithold SET amount = amount + 1",
    "DELETE FROM credits_credithold",
    "UPDATE credits_integrityrun SET faults = 0",
    "DELETE FROM credits_integrityrun",
]


@pytest.mark.parametrize("statement", REFUSED_TO_OWNER)
def test_the_guards_hold_against_the_owner_too(statement):
    at = scene(alone=True)
    # All of it is spent but what is held, so that a debt remains.
    services.charge_credits(user_id=at.user_id, amount=Decimal(140), idempotency_key="test:all")
    services.claw_back(
        transaction_id=at.purchase, amount=Decimal(100), kind=TransactionKind.REVERSAL, idempotency_key="test:back"
    )
    services.verify_ledger(source="command")
    with as_owner() as connection, pytest.raises(psycopg.errors.RestrictViolation, match="evidence"):
        connection.execute(statement)


def test_a_customer_with_entries_is_never_deleted(ledger):
    with pytest.raises(ProtectedError):
        ledger.delete()
    with as_app() as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("DELETE FROM accounts_customerfigures")
        connection.execute("DELETE FROM accounts_user")
    assert list(selectors.ledger_of(ledger.pk).values_list("amount", flat=True)) == [-30, 100]
