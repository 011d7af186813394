"""The command on a real database: what it leaves is proven, the same each time, and never mixed with anything."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from django.db.models import F, Q

from accounts.models import Customer, StaffMember
from backoffice.demo import company, play
from billing.models import CreditPack
from credits.models import CreditTransaction
from tests import databases
from tests.factories import CustomerFactory

APPS = {"accounts", "audit", "billing", "credits"}
SMALL = ["--users", "20", "--days", "30", "--until", "2026-03-01"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


def seed(*options: str) -> str:
    out = StringIO()
    call_command("seed_demo", *SMALL, *options, stdout=out)
    return out.getvalue()


def everything() -> dict[str, list]:
    """All rows that the seed made, by table, but for what is random or told by the wall clock."""
    hidden = {"password", "updated_at", "counted_at"}
    with connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names(cursor) if t.partition("_")[0] in APPS]
        rows = {}
        for table in tables:
            columns = connection.introspection.get_table_description(cursor, table)
            names = ", ".join(f'"{column.name}"' for column in columns if column.name not in hidden)
            cursor.execute(f"SELECT {names} FROM {table} ORDER BY 1")
            rows[table] = cursor.fetchall()
    return rows


def empty_the_database() -> None:
    connections.close_all()
    databases.flush(django_settings.DATABASES["default"]["NAME"])


def test_ledger_figures_and_audit_log_of_a_demo_company_are_proven():
    seed()
    for proof in ("verify_figures", "verify_ledger", "verify_audit"):
        call_command(proof, stdout=(said := StringIO()))
        assert said.getvalue().startswith("ok: ")


def test_spending_is_booked_on_its_day_and_within_the_hour_in_the_last_days():
    seed("--users", "80", "--days", "10")
    usage = CreditTransaction.objects.filter(kind="usage")
    delays = usage.annotate(delay=F("created_at") - F("event_at"))
    assert not delays.filter(Q(delay__lt=timedelta(0)) | ~Q(created_at__date=F("event_at__date")))
    recent = delays.filter(event_at__gte=datetime(2026, 2, 27, tzinfo=UTC))
    assert recent
    assert not recent.filter(delay__gte=timedelta(hours=1))


def test_the_same_seed_fills_two_databases_alike():
    seed()
    first = everything()
    empty_the_database()
    seed()
    assert everything() == first


def test_another_seed_fills_it_with_others():
    seed()
    first = set(Customer.objects.values_list("external_id", flat=True))
    empty_the_database()
    seed("--seed", "2")
    assert not first & set(Customer.objects.values_list("external_id", flat=True))


def test_an_admin_who_is_there_already_keeps_the_password(data_dir):
    StaffMember.objects.create_superuser("admin@example.com", "chosen by the operator")
    seed()
    assert authenticate(username="admin@example.com", password="chosen by the operator")
    assert not (data_dir / "secrets" / "demo-password").exists()
    others = StaffMember.objects.exclude(email="admin@example.com")
    assert others and not any(member.has_usable_password() for member in others)


@pytest.mark.parametrize("found", ["There are customers already", "The demo company is here already"])
def test_refuses_where_there_are_customers_and_changes_nothing(found):
    if found.startswith("The demo"):
        seed()
    else:
        CustomerFactory()
    before = everything()
    with pytest.raises(CommandError, match=found) as refusal:
        seed("--seed", "2")
    assert "To start anew" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.returncode == 1
    assert everything() == before


def test_a_seed_that_was_stopped_halfway_is_known_as_such(monkeypatch):
    class Killed(Exception):
        pass

    def die(self, act):
        raise Killed

    monkeypatch.setattr(play._Players, "_close", die)
    with pytest.raises(Killed):
        seed()
    assert Customer.objects.exists()
    with pytest.raises(CommandError, match="stopped halfway"):
        seed()


def test_a_seed_that_was_stopped_on_its_first_day_leaves_nothing(monkeypatch):
    class Killed(Exception):
        pass

    def die(*, told, **rest):
        opened(told=told, **rest)
        raise Killed

    opened = company.open_company
    monkeypatch.setattr(company, "open_company", die)
    with pytest.raises(Killed):
        seed()
    assert not StaffMember.objects.exists()
    assert not CreditPack.objects.exists()
    monkeypatch.undo()
    assert company.whats_here() == ""


@pytest.mark.parametrize("setting", ["PRODUCTION", "STRIPE_LIVEMODE"])
def test_refuses_in_production(settings, setting):
    setattr(settings, setting, True)
    with pytest.raises(CommandError, match="no place in production"):
        seed()
    assert not Customer.objects.exists()


def test_refuses_a_history_of_the_future():
    with pytest.raises(CommandError, match="future"):
        call_command("seed_demo", "--until", "2999-01-01")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("option", [["--users", "0"], ["--users", "x"], ["--days", "-1"], ["--until", "soon"]])
def test_refuses_options_that_make_no_sense(option):
    with pytest.raises(CommandError):
        call_command("seed_demo", *option)
