"""Keys: how they are made, kept, used and ended."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.urls import reverse

from accounts import selectors, services
from accounts.errors import KeyRefused, KeyRevoked
from accounts.models import ApiKey, User
from audit.models import AuditEntry
from backoffice.lib import clock
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_apikey_changelist")
ADD = reverse("admin:accounts_apikey_add")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def everything_kept():
    return f"{list(ApiKey.objects.values_list())}{list(AuditEntry.objects.values_list())}"


def test_a_key_is_kept_as_a_hash_and_audited_without_it():
    boss = StaffFactory()
    made = services.create_api_key(name="shop", scopes=["ingest"], staff=None, actor=boss)
    assert re.fullmatch(r"bo_[\w-]{43}", made.secret)
    assert made.secret.startswith(made.key.prefix) and len(made.key.prefix) == 11
    assert made.secret not in everything_kept() and made.secret not in repr(made)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.resource_id) == ("accounts.create_api_key", boss, str(made.key.pk))
    assert entry.new_values == {"prefix": made.key.prefix, "scopes": ["ingest"], "staff": None}


@pytest.mark.parametrize(
    ("name", "scopes", "owner"),
    [
        ("", ["ingest"], None),
        ("x" * 101, ["ingest"], None),
        ("a\x00b", ["ingest"], None),
        ("x", [], None),
        ("x", ["root"], None),
        ("x", ["ingest", "read"], "staff"),
        ("x", ["ingest"], "staff"),
        ("x", ["read"], None),
        ("x", ["admin"], "customer"),
        ("x", ["admin"], "suspended"),
    ],
)
def test_what_makes_no_sense_is_no_key(name, scopes, owner):
    people = {
        None: lambda: None,
        "staff": StaffFactory,
        "customer": CustomerFactory,
        "suspended": lambda: StaffFactory(status="suspended"),
    }
    with pytest.raises(KeyRefused):
        services.create_api_key(name=name, scopes=scopes, staff=people[owner](), actor=None)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": ["ingest"], "staff": True},
        {"scopes": ["read"]},
        {"scopes": ["ingest", "admin"], "staff": True},
        {"scopes": [], "staff": True},
        {"scopes": ["root"], "staff": True},
        {"scopes": ["ingest"], "key_hash": "bo_secret"},
        {"scopes": ["ingest"], "name": ""},
    ],
)
def test_the_database_refuses_it_too(fields):
    staff = StaffFactory() if fields.pop("staff", False) else None
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(**({"name": "x", "prefix": "bo_", "key_hash": "0" * 64, "staff": staff} | fields))


def test_a_revoked_key_is_dead_at_once_and_for_good():
    boss = StaffFactory()
    made = services.create_api_key(name="shop", scopes=["ingest"], staff=None, actor=None)
    program = Program(made.secret)
    assert program.get("users/x").status_code == 404
    services.revoke_api_key(key_id=made.key.pk, actor=boss, reason="leaked")
    assert program.get("users/x").status_code == 401
    entry = AuditEntry.objects.get(action="accounts.revoke_api_key")
    assert (entry.actor, entry.reason) == (boss, "leaked")
    with pytest.raises(KeyRevoked):
        services.revoke_api_key(key_id=made.key.pk, actor=boss, reason="again")


@pytest.mark.parametrize("change", [{"is_staff": False}, {"status": "suspended"}, {"status": "banned"}])
def test_a_key_dies_with_the_access_of_its_member_of_staff(change):
    member = StaffFactory()
    secret = key("read", staff=member)
    assert selectors.key_by_secret(secret).staff_id == member.pk
    User.objects.filter(pk=member.pk).update(**change)
    assert selectors.key_by_secret(secret) is None


def test_a_key_is_looked_up_in_one_query(django_assert_num_queries):
    secret = key("read")
    with django_assert_num_queries(1):
        assert selectors.key_by_secret(secret).staff.is_staff


def test_when_a_key_was_used_moves_once_a_minute(django_assert_num_queries):
    secret = key()
    for seconds, expected in ((0, NOON), (59, NOON), (60, NOON + timedelta(minutes=1))):
        with clock.at(NOON + timedelta(seconds=seconds)):
            assert Program(secret).get("users/x").status_code == 404
        assert ApiKey.objects.get().last_used_at == expected
    with clock.at(NOON + timedelta(seconds=61)), django_assert_num_queries(3):
        Program(secret).get("users/x")


def test_the_command_prints_the_key_alone_on_its_last_line(capsys):
    call_command("create_api_key", name="shop", scope=["ingest"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert Program(last).get("users/x").status_code == 404
    member = StaffFactory(email="grace@example.com")
    call_command("create_api_key", name="report", scope=["read", "admin"], staff="GRACE@example.com")
    found = selectors.key_by_secret(capsys.readouterr().out.splitlines()[-1])
    assert (found.staff_id, found.scopes) == (member.pk, ["admin", "read"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "x"],
        ["--scope", "ingest"],
        ["--name", "x", "--scope", "root"],
        ["--name", "x", "--scope", "read"],
        ["--name", "x", "--scope", "read", "--staff", "nobody@example.com"],
        ["--name", "x", "--scope", "ingest", "--scope", "admin", "--staff", "grace@example.com"],
    ],
)
def test_the_command_says_what_is_wrong_and_fails(arguments):
    StaffFactory(email="grace@example.com")
    with pytest.raises(CommandError) as error:
        call_command("create_api_key", *arguments)
    assert error.value.returncode == 1 and str(error.value)
    assert not ApiKey.objects.exists()


def test_the_page_shows_a_new_key_once(client):
    client.force_login(StaffFactory(is_superuser=True))
    page = client.post(ADD, {"name": "<b>shop", "scopes": ["ingest"]})
    html = page.content.decode()
    [secret] = set(re.findall(r"bo_[\w-]{43}", html))
    assert Program(secret).get("users/x").status_code == 404
    assert f'data-copy="{secret}"' in html and "&lt;b&gt;shop" in html
    assert "no-store" in page["Cache-Control"]
    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=", html)
    for address in (LIST, ADD, reverse("admin:accounts_apikey_change", args=[ApiKey.objects.get().pk])):
        later = client.get(address)
        assert later.status_code == 200
        assert secret not in later.content.decode()
    assert secret not in everything_kept()


def test_the_page_says_why_there_is_no_key(client):
    client.force_login(StaffFactory(is_superuser=True))
    html = client.post(ADD, {"name": "x", "scopes": ["read"]}).content.decode()
    assert "acts in the name of a member of staff" in html
    assert not ApiKey.objects.exists()


def test_only_a_super_admin_makes_a_key_in_the_name_of_somebody_else(client):
    me, other = StaffFactory(permissions=["accounts.add_apikey"]), StaffFactory(is_superuser=True)
    client.force_login(me)
    page = client.post(ADD, {"name": "x", "scopes": ["admin"], "staff": other.pk})
    assert "Only a super admin" in page.content.decode()
    assert not ApiKey.objects.exists()
    client.post(ADD, {"name": "x", "scopes": ["admin"], "staff": me.pk})
    assert ApiKey.objects.get().staff_id == me.pk


def test_only_a_super_admin_makes_a_key_of_the_product(client):
    client.force_login(StaffFactory(permissions=["accounts.add_apikey"]))
    page = client.post(ADD, {"name": "x", "scopes": ["ingest"]})
    assert "Only a super admin makes keys of the product." in page.content.decode()
    assert not ApiKey.objects.exists()


def test_each_verb_has_its_permission(client):
    made = services.create_api_key(name="shop", scopes=["ingest"], staff=None, actor=None)
    page = reverse("admin:accounts_apikey_change", args=[made.key.pk])
    revoke = reverse("admin:accounts_apikey_revoke", args=[made.key.pk])
    delete = reverse("admin:accounts_apikey_delete", args=[made.key.pk])
    rights = {
        (): (403, 403, 403, 403),
        ("accounts.view_apikey",): (200, 403, 200, 403),
        ("accounts.add_apikey",): (403, 200, 403, 403),
        ("accounts.revoke_apikey",): (403, 403, 403, 200),
    }
    for permissions, expected in rights.items():
        client.force_login(StaffFactory(permissions=permissions))
        got = tuple(client.get(address).status_code for address in (LIST, ADD, page, revoke))
        assert (permissions, got) == (permissions, expected)
        assert client.post(delete, {"post": "yes"}).status_code == 403
        assert client.post(page, {"name": "other"}).status_code == 403


def test_a_key_is_revoked_by_its_page_with_a_reason(client):
    made = services.create_api_key(name="shop", scopes=["ingest"], staff=None, actor=None)
    client.force_login(StaffFactory(permissions=["accounts.view_apikey", "accounts.revoke_apikey"]))
    address = reverse("admin:accounts_apikey_revoke", args=[made.key.pk])
    assert address in client.get(reverse("admin:accounts_apikey_change", args=[made.key.pk])).content.decode()
    token = re.search(r'name="token" value="([^"]+)"', client.get(address).content.decode())[1]
    form = {"token": token, "reason": "leaked"}
    assert "Revoked" in client.post(address, form).content.decode()
    assert ApiKey.objects.get().revoked_at is None
    assert client.post(address, form | {"confirm": "yes"}).status_code == 302
    assert Program(made.secret).get("users/x").status_code == 401
    assert "already" in client.post(address, form | {"confirm": "yes"}).content.decode()


def test_the_list_takes_a_fixed_number_of_queries(client, django_assert_num_queries):
    client.force_login(StaffFactory(is_superuser=True))
    for _ in range(10):
        key("read")
    client.get(LIST)
    with django_assert_num_queries(4):
        page = client.get(LIST)
    assert page.content.decode().count("bo_") >= 10


def test_a_key_without_the_scope_is_told_so():
    response = Program(key("admin")).get("users/x")
    assert (response.status_code, code_of(response)) == (403, "wrong_scope")


@pytest.mark.parametrize("act", ["UPDATE accounts_apikey SET key_hash = ''", "DELETE FROM accounts_apikey"])
def test_the_runtime_role_neither_changes_what_a_key_is_nor_deletes_one(act):
    key()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(act)
