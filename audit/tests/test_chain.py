"""The chain of the audit log: sealed at commit, guarded, and proven."""

import threading

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from audit import errors, services
from audit.models import AuditEntry, ChainHead
from tests import databases
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

THING = services.Resource("tests.thing", "7", "thing 7")


def record(**more):
    with transaction.atomic():
        services.record(action="tests.act", actor=None, resource=THING, **more)


def as_owner():
    return databases.owner_connection(settings.DATABASES["default"]["NAME"])


def edit_by_hand(statement):
    with as_owner() as connection:
        connection.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        connection.execute("ALTER TABLE audit_chainhead DISABLE TRIGGER USER")
        connection.execute(statement)
        for table, trigger in connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def test_an_entry_outside_a_transaction_is_refused():
    with pytest.raises(errors.OutsideTransaction):
        services.record(action="tests.act", actor=None, resource=THING)
    assert not AuditEntry.objects.exists()


def test_entries_are_sealed_in_order_as_they_commit():
    for _ in range(3):
        record()
    entries = list(AuditEntry.objects.order_by("seq"))
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.prev_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert (ChainHead.objects.get().seq, ChainHead.objects.get().hash) == (3, entries[-1].hash)


def test_an_act_that_is_rolled_back_leaves_no_entry_and_no_gap():
    record()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.record(action="tests.act", actor=None, resource=THING)
        raise ZeroDivisionError
    record()
    assert list(AuditEntry.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]


def test_the_lock_on_the_head_is_taken_only_at_commit():
    started, finish = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            services.record(action="tests.slow", actor=None, resource=THING)
            started.set()
            assert finish.wait(20)

    def quick():
        assert started.wait(20)
        record()
        finish.set()

    assert at_once([slow, quick]) == [None, None]
    assert list(AuditEntry.objects.order_by("seq").values_list("action", flat=True)) == ["tests.act", "tests.slow"]


def test_many_writers_at_once_make_one_unbroken_chain(capsys):
    results = at_once([lambda: [record() for _ in range(10)] and None] * 8)
    assert results == [None] * 8
    call_command("verify_audit")
    assert capsys.readouterr().out.startswith("ok: 80 entries")


def test_an_entry_cannot_bring_its_own_seal():
    with pytest.raises(IntegrityError, match="evidence"), transaction.atomic():
        AuditEntry.objects.create(
            action="tests.forged", resource_type="x", actor_label="x", seq=1, prev_hash="0", hash="0"
        )


DENIED_TO_APP = [
    "UPDATE audit_auditentry SET reason = 'x'",
    "DELETE FROM audit_auditentry",
    "TRUNCATE audit_auditentry",
    "UPDATE audit_chainhead SET seq = 0",
    "DELETE FROM audit_chainhead",
    "INSERT INTO audit_chainhead VALUES (1, 0, '0')",
    "UPDATE audit_auditproof SET fault = ''",
    "DELETE FROM audit_auditproof",
    "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
    "SET session_replication_role = 'replica'",
]


@pytest.mark.parametrize("statement", DENIED_TO_APP)
def test_the_runtime_role_is_denied(statement):
    record()
    url = databases.on_database(databases.app_url(), settings.DATABASES["default"]["NAME"])
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_auditentry SET reason = 'x'", "DELETE FROM audit_auditentry", "TRUNCATE audit_auditentry"],
)
def test_the_guards_hold_against_the_owner_too(statement):
    record()
    with as_owner() as connection, pytest.raises(psycopg.errors.RestrictViolation, match="evidence"):
        connection.execute(statement)


TAMPERING = {
    "UPDATE audit_auditentry SET reason = 'edited' WHERE seq = 2": r"seq 2\): its content was changed",
    "UPDATE audit_auditentry SET new_values = '{\"balance\": 1}' WHERE seq = 3": r"seq 3\): its content was changed",
    "DELETE FROM audit_auditentry WHERE seq = 2": r"seq 3\): rows before it are missing",
    "DELETE FROM audit_auditentry WHERE seq = 3": r"seq 3\): the log ends at 2 but 3 rows were sealed",
    "UPDATE audit_auditentry SET seq = NULL, hash = NULL, prev_hash = NULL WHERE seq = 2": "never sealed",
    "UPDATE audit_auditentry SET reason = 'x', prev_hash = repeat('1', 64) WHERE seq = 2": "does not follow",
}


@pytest.mark.parametrize("statement", TAMPERING)
def test_verify_audit_names_the_first_row_that_was_edited_by_hand(statement):
    for _ in range(3):
        record(reason="as it was", new_values={"balance": 2})
    edit_by_hand(statement)
    with pytest.raises(CommandError, match=TAMPERING[statement]):
        call_command("verify_audit")
