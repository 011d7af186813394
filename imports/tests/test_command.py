import pytest
from django.core.management import CommandError, call_command

from accounts.models import Customer
from audit.models import AuditEntry
from imports.models import CustomerImport
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("email,opening_balance\na@example.com,5\nb@example.com,\n")
    return path


def test_the_command_imports_a_file_and_a_second_time_does_nothing(file, capsys):
    call_command("import_users", file)
    call_command("import_users", file)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "ok: 2 rows: 2 new customers, 0 known, 1 opening balances of 5 credits; 0 errors"
    assert second.startswith("ok: 2 rows. The same file was imported on ")
    assert Customer.objects.count() == 2
    [entry] = AuditEntry.objects.filter(action="accounts.import_customers")
    assert (entry.actor_id, entry.reason) == (None, "import_users")


def test_a_dry_run_writes_nothing(file, capsys):
    call_command("import_users", file, "--dry-run")
    assert capsys.readouterr().out.rstrip().endswith("(dry run)")
    assert not Customer.objects.exists() and not CustomerImport.objects.exists()


def test_errors_are_printed_by_line_and_written_in_full_and_the_command_fails(tmp_path, capsys):
    path, errors = tmp_path / "bad.csv", tmp_path / "errors.csv"
    path.write_text("email,country\n" + "".join(f"=c{n}@example.com,XX\n" for n in range(150)))
    for options in (["--dry-run"], []):
        with pytest.raises(CommandError, match="errors in the file"):
            call_command("import_users", path, "--errors", errors, *options)
        shown = capsys.readouterr().err
        assert "line 2, country: 'XX': There is no such country. Write the code" in shown
        assert "... and 50 more: --errors writes all of them." in shown
        assert len(errors.read_text().splitlines()) == 151
    assert not Customer.objects.exists()


def test_what_an_error_quotes_is_safe_in_a_spreadsheet(tmp_path):
    path, errors = tmp_path / "bad.csv", tmp_path / "errors.csv"
    path.write_text("email\n=cmd\n")
    with pytest.raises(CommandError):
        call_command("import_users", path, "--errors", errors)
    assert errors.read_text().splitlines()[1].startswith("2,email,'=cmd,This is not an email address.")


def test_options_say_what_becomes_of_known_customers_and_unknown_columns(file, tmp_path):
    CustomerFactory(email="a@example.com")
    with pytest.raises(CommandError, match="1 error in the file"):
        call_command("import_users", file)
    other = tmp_path / "other.csv"
    other.write_text("email;Größe;full_name\na@example.com;42;Jörg\n", encoding="cp1252")
    call_command("import_users", other, "--update", "--ignore-unknown-columns", "--encoding", "windows-1252")
    assert Customer.objects.get().full_name == "Jörg"


def test_a_file_that_is_not_there_is_said_so():
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_users", "/nowhere/customers.csv")
