"""A backup is whole, of one moment and ours alone; what is restored from it is proven, or the command fails."""

import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from tests import databases
from tests import stack as stacks

SEED = ["seed_demo", "--users", "15", "--days", "20", "--until", "2026-03-01"]
LEDGER = "credits_credittransaction"


def environment(database):
    return os.environ | {
        "BACKOFFICE_ENV": "development",
        "DATABASE_URL": databases.on_database(databases.app_url(), database),
        "DATABASE_OWNER_URL": databases.on_database(databases.owner_url(), database),
        "DATABASE_READONLY_URL": databases.on_database(databases.readonly_url(), database),
    }


def manage(database, *arguments, **more):
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=databases.REPOSITORY,
        env=environment(database) | more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@contextmanager
def database(name, copied_from=None):
    name = f"test_backup_{os.getpid()}_{name}"
    databases.drop(name)
    if copied_from:
        databases.create(name, copied_from)
    try:
        yield name
    finally:
        databases.drop(name)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A database with a small company in it."""
    with database("source", databases.template()) as name:
        with databases.owner_connection(name) as owner:
            # The tests' own copy of default roles; no part of the product.
            owner.execute(f"DROP SCHEMA {databases.PRISTINE} CASCADE")
        seeded = manage(name, *SEED, BACKOFFICE_DATA_DIR=str(tmp_path_factory.mktemp("data")))
        assert seeded.returncode == 0, seeded.stderr
        yield name


@pytest.fixture(scope="module")
def backup(company, tmp_path_factory):
    file = tmp_path_factory.mktemp("backup") / "company.dump"
    made = manage(company, "backup", file)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(f"ok: {file}")
    return file


def rows(name):
    """How many rows each table has."""
    with databases.owner_connection(name) as owner:
        tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        count = sql.SQL("SELECT count(*) FROM {}")
        return {table: owner.execute(count.format(sql.Identifier(table))).fetchone()[0] for (table,) in tables}


def exists(name):
    home = databases.owner_url().rpartition("/")[2].partition("?")[0]
    with databases.owner_connection(home) as owner:
        return owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def test_what_was_backed_up_comes_back_whole_proven_and_guarded(company, backup):
    with database("restored") as name:
        restored = manage(company, "restore", backup, "--into", name)
        assert restored.returncode == 0, restored.stderr
        assert restored.stdout.rstrip().endswith(
            f"ok: restored into {name}; the ledger, the figures and the audit log are proven."
        ), restored.stdout
        # The proofs leave a run each, and the audit log tells of the backup and of the restore.
        beside = {"credits_integrityrun", "accounts_figuresproof", "audit_auditproof", "audit_auditentry"}
        before, after = rows(company), rows(name)
        assert {table: n for table, n in after.items() if table not in beside} == {
            table: n for table, n in before.items() if table not in beside
        }
        assert before[LEDGER] > 50
        with psycopg.connect(databases.on_database(databases.app_url(), name), autocommit=True) as app:
            told = app.execute(
                "SELECT action, new_values->>'file' FROM audit_auditentry ORDER BY seq DESC LIMIT 4"
            ).fetchall()
            proofs = [("audit.verify", None), ("accounts.verify_figures", None), ("credits.verify_ledger", None)]
            assert told == [*proofs, ("backup.restore", "company.dump")]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(f"UPDATE {LEDGER} SET description = ''")
        refused = pytest.raises(psycopg.errors.RestrictViolation)
        with databases.owner_connection(name) as owner, refused:
            owner.execute(f"UPDATE {LEDGER} SET description = ''")
        again = manage(company, "restore", backup, "--into", name)
        assert again.returncode == 1
        assert "already: nothing was changed" in again.stderr


def test_a_backup_is_for_its_owner_alone_and_is_told_in_the_audit_log(company, backup):
    for file in (backup, backup.with_name("company.dump.sha256")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in backup.parent.iterdir()) == ["company.dump", "company.dump.sha256"]
    summed = subprocess.run(["sha256sum", "--check", "company.dump.sha256"], cwd=backup.parent, check=False)
    assert summed.returncode == 0
    with databases.owner_connection(company) as owner:
        told = owner.execute("SELECT new_values FROM audit_auditentry WHERE action = 'backup.make'").fetchall()
    # Other tests back the same company up.
    digest = backup.with_name("company.dump.sha256").read_text().split()[0]
    assert digest in [values["sha256"] for (values,) in told]


def test_a_backup_is_never_written_over(company, backup):
    before = backup.stat().st_mtime_ns
    again = manage(company, "backup", backup)
    assert again.returncode == 1
    assert "never written over" in again.stderr
    assert backup.stat().st_mtime_ns == before


def test_a_database_that_is_not_empty_is_left_alone(company, backup):
    before = rows(company)
    refused = manage(company, "restore", backup)
    assert refused.returncode == 1
    assert "not empty: nothing was changed" in refused.stderr
    assert rows(company) == before


def test_on_a_new_server_without_our_roles_it_is_restored_into_the_empty_database(company, backup):
    count = "from credits.models import CreditTransaction as T; print(T.objects.count())"
    with stacks.data_directory() as data_dir:
        said = stacks.manage(data_dir, "restore", str(backup))
        assert "proven." in said
        told = stacks.manage(data_dir, "shell", "--no-imports", "-c", count)
        assert told.split()[-1] == str(rows(company)[LEDGER])


def copy_of(backup, folder, change=lambda content: content, checksum=True):
    file = folder / "copy.dump"
    file.write_bytes(change(backup.read_bytes()))
    if checksum:
        told = backup.with_name("company.dump.sha256").read_text()
        file.with_name("copy.dump.sha256").write_text(told.replace("company.dump", "copy.dump"))
    return file


@pytest.mark.parametrize(
    ("change", "checksum", "said"),
    [
        (lambda content: content[:-100], True, "checksum is another"),
        (lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:], True, "checksum is another"),
        (lambda content: content, False, "is missing"),
    ],
)
def test_a_file_that_is_not_what_was_written_is_not_restored(company, backup, tmp_path, change, checksum, said):
    file = copy_of(backup, tmp_path, change, checksum)
    with database("tampered") as name:
        refused = manage(company, "restore", file, "--into", name)
        assert refused.returncode == 1
        assert said in refused.stderr
        assert not exists(name)


def test_a_file_that_is_no_backup_leaves_nothing_behind(company, tmp_path):
    file = tmp_path / "garbage.dump"
    file.write_bytes(b"garbage")
    digest = subprocess.run(["sha256sum", "garbage.dump"], cwd=tmp_path, capture_output=True, text=True, check=True)
    (tmp_path / "garbage.dump.sha256").write_text(digest.stdout)
    with database("garbage") as name:
        refused = manage(company, "restore", file, "--into", name)
        assert refused.returncode == 1
        assert "pg_restore failed" in refused.stderr
        assert not exists(name)


TAMPERINGS = {
    "verify_ledger": (
        LEDGER,
        f"UPDATE {LEDGER} SET description = 'other', balance_before = balance_before + 1,"
        f" balance_after = balance_after + 1 WHERE id = (SELECT max(id) FROM {LEDGER})",
    ),
    "verify_figures": (
        "accounts_customerfigures",
        "UPDATE accounts_customerfigures SET spend_minor = spend_minor + 1 WHERE user_id = (SELECT user_id FROM"
        " accounts_customerfigures ORDER BY user_id LIMIT 1)",
    ),
    "verify_audit": ("audit_auditentry", "UPDATE audit_auditentry SET reason = 'other' WHERE seq = 3"),
}


@pytest.mark.parametrize("proof", TAMPERINGS)
def test_what_was_tampered_with_before_the_backup_is_found_after_the_restore(company, tmp_path, proof):
    table, statement = TAMPERINGS[proof]
    with database("altered", company) as altered, database("found") as name:
        with databases.owner_connection(altered) as owner:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            owner.execute(statement)
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        file = tmp_path / "altered.dump"
        assert manage(altered, "backup", file).returncode == 0
        restored = manage(altered, "restore", file, "--into", name)
        assert restored.returncode == 1
        assert f"not sound: {proof} found what is named above" in restored.stderr
        assert not any(f"{other} " in restored.stderr.splitlines()[-1] for other in {*TAMPERINGS} - {proof})


def test_a_backup_of_a_later_release_is_not_taken_for_one_of_this(company, tmp_path):
    with database("later", company) as later, database("refused") as name:
        with databases.owner_connection(later) as owner:
            owner.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('credits', '9999_later', now())")
        file = tmp_path / "later.dump"
        assert manage(later, "backup", file).returncode == 0
        refused = manage(later, "restore", file, "--into", name)
        assert refused.returncode == 1
        assert "a later release, which knows credits.9999_later" in refused.stderr


WRITE_FOR_EVER = """
import itertools
from decimal import Decimal
from accounts.models import Customer
from credits.services import gift_credits
from accounts.models import StaffMember
staff = StaffMember.objects.first()
users = list(Customer.objects.filter(demo_mode=False).order_by("pk").values_list("pk", flat=True)[:5])
for turn in itertools.count():
    gift_credits(user_id=users[turn % 5], amount=Decimal(1), reason="x", actor=staff, idempotency_key=f"test:{turn}")
    turn or print("writing", flush=True)
"""


def test_a_backup_under_load_is_of_one_moment(company, tmp_path):
    complaints = tmp_path / "writer.log"
    with database("busy", company) as busy, database("moment") as name, complaints.open("w") as log:
        writer = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", WRITE_FOR_EVER],
            cwd=databases.REPOSITORY,
            env=environment(busy),
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            assert writer.stdout.readline() == b"writing\n", complaints.read_text()
            file = tmp_path / "busy.dump"
            made = manage(busy, "backup", file)
            assert writer.poll() is None, complaints.read_text()
        finally:
            writer.kill()
            writer.communicate()
        assert made.returncode == 0, made.stderr
        restored = manage(busy, "restore", file, "--into", name)
        assert restored.returncode == 0, restored.stderr
        assert rows(company)[LEDGER] < rows(name)[LEDGER] <= rows(busy)[LEDGER]


def test_a_backup_that_is_killed_leaves_no_file_that_looks_like_one(company, tmp_path):
    file = tmp_path / "killed.dump"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(file)],
        cwd=databases.REPOSITORY,
        env=environment(company),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not file.exists()
    made = manage(company, "backup", file)
    assert made.returncode == 0, made.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.dump", "killed.dump.sha256"]


def test_without_the_owner_nothing_is_backed_up_or_restored(company, tmp_path):
    for command in ("backup", "restore"):
        refused = manage(company, command, tmp_path / "x.dump", DATABASE_OWNER_URL="")
        assert refused.returncode == 1
        assert "DATABASE_OWNER_URL" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_password_is_seen_among_the_processes(tmp_path, monkeypatch):
    from backoffice.lib import backups  # noqa: PLC0415 (for what it hands to the programs)

    seen = []

    def looks(command, **options):
        seen.append((command, options))
        raise ZeroDivisionError

    monkeypatch.setattr(backups, "program", lambda name, version: name)
    monkeypatch.setattr(backups.subprocess, "Popen", looks)
    settings = {"HOST": "db", "PORT": 5432, "USER": "me", "PASSWORD": "s3cret", "OPTIONS": {"sslmode": "require"}}
    target = backups.Target(settings, "name")
    with pytest.raises(ZeroDivisionError):
        backups.dump(target, tmp_path / "x.dump", server_version=14, on_table=lambda name: None)
    [(command, options)] = seen
    assert "s3cret" not in " ".join(command)
    told = {name: value for name, value in options["env"].items() if name.startswith("PG")}
    assert told == {
        "PGHOST": "db",
        "PGPORT": "5432",
        "PGUSER": "me",
        "PGPASSWORD": "s3cret",
        "PGSSLMODE": "require",
        "PGDATABASE": "name",
    }
    assert list(tmp_path.iterdir()) == []
