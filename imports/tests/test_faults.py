"""What may go wrong around an import: it is killed, others write at the same moment, the file is large."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Customer
from credits import selectors
from credits.models import CreditTransaction
from imports.errors import ImportRefused
from imports.models import CustomerImport
from imports.tests.files import imported
from tests import databases
from tests.factories import CustomerFactory
from tests.threads import at_once

ROWS = 20_000


def command(*arguments, **options):
    name = settings.DATABASES["default"]["NAME"]
    environment = os.environ | {
        "DATABASE_URL": databases.on_database(databases.app_url(), name),
        "BACKOFFICE_ENV": "development",
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
    }
    environment.pop("DATABASE_OWNER_URL", None)
    return subprocess.Popen(
        [sys.executable, "-m", "django", *arguments],
        env=environment,
        cwd=Path(settings.BASE_DIR),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def large_file(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("email,external_id,full_name,opening_balance\n")
        for number in range(ROWS):
            file.write(f'c{number}@example.com,x_{number},"Customer, {number}",{number % 3}\n')
    return path


def writing_into(table):
    """Whether some backend holds a lock on the table that only writing takes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND mode = 'RowExclusiveLock'", [table]
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["accounts_user", "credits_credittransaction"])
def test_a_killed_import_leaves_nothing_and_a_second_one_does_all_of_it(large_file, table):
    process = command("import_users", str(large_file))
    deadline = time.monotonic() + 60
    while not writing_into(table):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not Customer.objects.exists() and not CreditTransaction.objects.exists()
    assert not CustomerImport.objects.filter(imported_at__isnull=False).exists()
    again = command("import_users", str(large_file))
    said, complaint = again.communicate(timeout=120)
    assert again.returncode == 0, complaint
    assert f"{ROWS:,} new customers" in said
    assert Customer.objects.count() == ROWS
    assert list(selectors.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_import_it_once():
    text = "email,opening_balance\n" + "".join(f"c{n}@example.com,5\n" for n in range(500))
    reports = at_once([lambda: imported(text)] * 4)
    assert sorted(bool(report.repeats) for report in reports) == [False, True, True, True]
    assert Customer.objects.count() == CreditTransaction.objects.count() == 500


@pytest.mark.django_db(transaction=True)
def test_a_customer_who_signs_up_while_the_file_is_imported_makes_the_import_fail_whole(monkeypatch):
    from imports.services import importing  # noqa: PLC0415 (patched here)

    write = importing.intake.write

    def write_late():
        # Looked for and not found; there a moment later.
        at_once([lambda: CustomerFactory(email="B@example.com")])
        yield from write()

    monkeypatch.setattr(importing.intake, "write", write_late)
    with pytest.raises(ImportRefused, match="at the same moment"):
        imported("email\na@example.com\nb@example.com\n")
    assert list(Customer.objects.values_list("email", flat=True)) == ["B@example.com"]


def large(path, *, country):
    """A file of as many megabytes as IMPORT_SOAK_MEGABYTES says; how many customers it has beside it."""
    customers = 0
    with path.open("w") as file:
        file.write("email,external_id,full_name,country\n")
        while file.tell() < float(os.environ.get("IMPORT_SOAK_MEGABYTES", "5")) * 1_000_000:
            file.writelines(
                f"{n}@example.com,x_{n},{'x' * 150},{country}\n" for n in range(customers, customers + 5_000)
            )
            customers += 5_000
    return path, customers


def memory_and_end(process):
    """The largest resident memory seen, in bytes, then the exit code and what was printed."""
    most = 0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            most = max(most, psutil.Process(process.pid).memory_info().rss)
        time.sleep(0.05)
    said, complaint = process.communicate()
    return most, process.returncode, said + complaint


@pytest.mark.django_db(transaction=True)
def test_the_memory_of_a_look_through_does_not_grow_with_the_faults_of_the_file(tmp_path):
    path, _ = large(tmp_path / "large.csv", country="not a country")
    most, code, said = memory_and_end(command("import_users", str(path), "--dry-run"))
    assert code == 1 and "more: --errors writes all of them" in said
    assert most < 250_000_000


@pytest.mark.django_db(transaction=True)
def test_the_memory_of_an_import_does_not_grow_with_the_file(tmp_path):
    path, customers = large(tmp_path / "large.csv", country="DE")
    most, code, said = memory_and_end(command("import_users", str(path)))
    assert (code, Customer.objects.count()) == (0, customers), said
    assert most < 250_000_000
