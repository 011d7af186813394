"""The product's API as a whole: who is let in, what failures look like, how often a key may ask."""

import json
import threading
from types import SimpleNamespace

import pytest
import structlog
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory
from structlog.testing import capture_logs

from accounts import services
from accounts.authentication import require_permission
from accounts.models import ApiKey, Scope, User
from audit.models import AuditEntry
from backoffice.api import api
from backoffice.lib.api import limits
from backoffice.lib.api.bodies import StrictParser
from backoffice.lib.api.errors import CODES, ApiError, ErrorTable
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


def operations():
    """Every operation of the API with the scope that it needs."""
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                [auth] = operation.auth_callbacks
                for method in operation.methods:
                    yield pytest.param(method, f"{router.prefix}{path}".strip("/"), auth.scope, id=f"{method} {path}")


GRANTED = {"ingest": {Scope.INGEST}, "read": {Scope.READ}, "admin": {Scope.READ, Scope.ADMIN}}


@pytest.mark.parametrize(("method", "path", "scope"), list(operations()))
@pytest.mark.parametrize("holder", ["nobody", "stranger", "revoked", "session", *GRANTED])
def test_every_operation_lets_in_only_who_has_its_scope(client, method, path, scope, holder):
    address = path.replace("{", "").replace("}", "")
    program = Program(None)
    if holder in GRANTED:
        program = Program(key(holder))
    elif holder == "stranger":
        program = Program("bo_" + "x" * 43)
    elif holder == "revoked":
        program = Program(key(*(["ingest"] if scope == Scope.INGEST else ["read", "admin"])))
        ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    elif holder == "session":
        client.force_login(StaffFactory(is_superuser=True))
        program = Program(None, client)
    response = program.send(method, address, {} if method != "GET" else None)
    if holder not in GRANTED:
        assert (response.status_code, code_of(response)) == (401, "unauthorized")
        assert response["WWW-Authenticate"] == "Bearer"
    elif scope not in GRANTED[holder]:
        assert (response.status_code, code_of(response)) == (403, "wrong_scope")
    else:
        # Let in: whatever is wrong now is the empty body, the unknown id, or a permission that nobody gave.
        assert response.status_code not in (401, 500) and (
            response.status_code < 400 or code_of(response) != "wrong_scope"
        )
    assert response["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic eDp5", "Token x", "Bearer \x7f\xff", "Bearer " + "x" * 10_000]
)
def test_a_strange_authorization_is_no_key(header):
    response = Program(None).get("users/x", Authorization=header)
    assert (response.status_code, code_of(response)) == (401, "unauthorized")


def test_a_member_who_is_shut_out_takes_the_key_along_at_once():
    member = StaffFactory()
    program = Program(key("read", staff=member))
    assert code_of(program.get("users/x")) == "wrong_scope"
    User.objects.filter(pk=member.pk).update(is_staff=False)
    assert program.get("users/x").status_code == 401


def asking(user):
    return SimpleNamespace(user=user)


def test_a_key_acts_within_the_permissions_of_its_member_of_staff():
    member = StaffFactory(permissions=["accounts.view_customer"])
    assert require_permission(asking(member), "accounts.view_customer") == member
    for user in (member, AnonymousUser()):
        with pytest.raises(ApiError) as error:
            require_permission(asking(user), "accounts.change_customer")
        assert (error.value.status, error.value.code) == (403, "permission_missing")


BROKEN = [
    ("GET", "nowhere", None, 404, "not_found"),
    ("GET", "", None, 404, "not_found"),
    ("DELETE", "users/x", None, 405, "method_not_allowed"),
    ("PUT", "users/x", b"{", 400, "malformed_json"),
    ("PUT", "users/x", b"\xff", 400, "malformed_json"),
    ("PUT", "users/x", b"[" * 200_000, 400, "malformed_json"),
    ("PUT", "users/x", b'{"character_count": NaN}', 400, "malformed_json"),
    ("PUT", "users/x", b'{"character_count": 1e999}', 400, "malformed_json"),
    ("PUT", "users/x", b'{"character_count": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
    ("PUT", "users/x", b"", 422, "validation_error"),
    ("PUT", "users/x", b"null", 422, "validation_error"),
    ("PUT", "users/x", b'{"full_name": "a\\u0000b"}', 422, "nul_in_text"),
    ("PUT", "users/x", b'{"a\\u0000b": 1}', 422, "nul_in_text"),
    ("PUT", "users/x", b'{"full_name": "\\ud800"}', 422, "broken_text"),
    ("POST", "events", b'{"events": [{"details": {"a": ["\\u0000"]}}]}', 422, "nul_in_text"),
    ("POST", "events", b'{"events": ' + b"[" * 100 + b"]" * 100 + b"}", 422, "too_deep"),
    ("GET", "users/a%00b", None, 422, "nul_in_text"),
    ("GET", "users/x?q=%00", None, 422, "nul_in_text"),
    ("PUT", "users/x", b" " * (8 * 1024 * 1024 + 1), 413, "body_too_large"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [pytest.param(*row, id=f"{row[4]}-{n}") for n, row in enumerate(BROKEN)],
)
def test_every_failure_is_an_envelope(method, path, body, status, code):
    response = Program(key()).send(method, path, body)
    assert (response.status_code, code_of(response)) == (status, code)
    assert response["Cache-Control"] == "no-store"
    assert response["X-Request-ID"] or status == 422


def test_a_part_of_the_announced_body_is_not_taken_for_the_whole():
    # The test client cannot lie like this.
    request = RequestFactory().put("/api/v1/users/x", b"{}", content_type="application/json")
    assert StrictParser().parse_body(request) == {}
    request.META["CONTENT_LENGTH"] = "5000"
    with pytest.raises(ApiError) as error:
        StrictParser().parse_body(request)
    assert (error.value.status, error.value.code) == (400, "body_incomplete")


def test_a_body_in_chunks_is_told_to_come_whole():
    response = Program(key()).send("PUT", "users/x", None, **{"Transfer-Encoding": "chunked"})
    assert (response.status_code, code_of(response)) == (400, "length_missing")


def test_an_escaped_character_outside_of_the_first_plane_is_text():
    response = Program(key()).put("users/x", b'{"email": "x@example.com", "full_name": "\\ud83d\\ude00"}')
    assert response.json()["full_name"] == "\U0001f600"


def test_405_says_what_is_allowed():
    assert set(Program(key()).send("DELETE", "users/x")["Allow"].split(", ")) == {"GET", "PUT"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("secret detail"), 500),
        (OperationalError("secret detail"), 503),
        (Http404("secret detail"), 404),
    ],
)
def test_a_fault_of_ours_says_nothing_of_itself_and_is_logged(monkeypatch, error, status):
    def fail(external_id):
        raise error

    monkeypatch.setattr("accounts.selectors.customer_by_external_id", fail)
    with capture_logs() as logs:
        response = Program(key()).get("users/x")
    assert (response.status_code, code_of(response)) == (status, CODES[status][0])
    assert "secret detail" not in response.content.decode()
    assert [log["log_level"] for log in logs] == (["error"] if status >= 500 else [])


def test_a_host_that_is_not_ours_is_refused_in_the_envelope():
    response = Program(key()).get("users/x", Host="evil.example")
    assert (response.status_code, code_of(response)) == (400, "bad_request")


def test_a_failure_outside_of_the_api_stays_a_page(client):
    assert client.get("/nowhere")["Content-Type"].startswith("text/html")


def test_an_error_that_a_table_leaves_out_is_found_at_the_start():
    class Base(Exception):
        code = "base"

    class Left(Base):
        code = "left_out"

    assert ErrorTable(Base, {}).missing() == {"left_out"}
    assert ErrorTable(Base, {"left_out": 409}).missing() == set()


def test_audit_entries_name_the_member_the_key_and_the_request(monkeypatch):
    member = StaffFactory(email="grace@example.com")
    made = services.create_api_key(name="test", scopes=["ingest"], staff=None, actor=None)
    customer = CustomerFactory(external_id="u_1")

    def act(external_id):
        services.revoke_api_key(key_id=made.key.pk, actor=member, reason="by program")
        return customer

    monkeypatch.setattr("accounts.selectors.customer_by_external_id", act)
    response = Program(made.secret).get("users/u_1", **{"X-Request-ID": "request-0001", "User-Agent": "curl"})
    assert response.status_code == 200
    entry = AuditEntry.objects.get(action="accounts.revoke_api_key")
    assert entry.actor == member
    assert entry.actor_label == f"grace@example.com through API key {made.key.prefix}"
    assert (entry.ip, entry.user_agent, entry.request_id) == ("127.0.0.1", "curl", "request-0001")
    assert made.secret not in str(vars(entry))


def test_one_requests_key_is_not_in_the_next_ones_log_lines_or_audit():
    secret = key()
    Program(secret).get("users/x")
    assert "api_key" not in structlog.contextvars.get_contextvars()
    other = key()
    assert AuditEntry.objects.latest("pk").actor_label == "system"
    assert other


def test_no_log_line_holds_a_key(monkeypatch):
    secret = key()
    monkeypatch.setattr("accounts.selectors.customer_by_external_id", lambda external_id: 1 / 0)
    with capture_logs() as logs:
        assert Program(secret).get("users/x").status_code == 500
    assert secret not in json.dumps(logs, default=repr)


# Rate limits


@pytest.fixture
def slow(settings):
    settings.API_RATE_LIMIT = 3
    settings.API_STAFF_RATE_LIMIT = 2


@pytest.mark.parametrize(("scope", "allowed", "seconds"), [("ingest", 3, 20), ("admin", 2, 30)])
def test_a_key_that_asks_too_often_is_told_when_to_come_back(slow, scope, allowed, seconds):
    program = Program(key(scope))
    answers = [program.get("users/x") for _ in range(allowed + 1)]
    assert [answer.status_code for answer in answers][:-1] == [404 if scope == "ingest" else 403] * allowed
    assert (answers[-1].status_code, code_of(answers[-1])) == (429, "rate_limited")
    assert seconds - 2 <= int(answers[-1]["Retry-After"]) <= seconds
    # Keys do not wait for each other.
    assert Program(key(scope)).get("users/x").status_code != 429


def test_zero_is_no_limit(settings):
    settings.API_RATE_LIMIT = 0
    program = Program(key())
    assert {program.get("users/x").status_code for _ in range(5)} == {404}


def test_many_processes_count_as_one(settings):
    name = f"test:{key()[:20]}"
    answers = []

    def ask():
        limiter = limits.Limiter(settings.REDIS_URL)
        answers.extend(limiter.take(name, 10) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(0) == 10


def test_without_redis_nobody_is_held_up_and_it_is_said_once(slow, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    limits._limiter.cache_clear()
    program = Program(key())
    with capture_logs() as logs:
        assert {program.get("users/x").status_code for _ in range(10)} == {404}
    assert [log["event"] for log in logs] == ["rate_limits_off"]


def test_redis_is_not_asked_at_every_request_while_it_is_away(monkeypatch):
    limiter = limits.Limiter("unix:///nowhere/redis.sock")
    asked, real = [], limiter._take
    limiter._take = lambda **more: (asked.append(1), real(**more))[1]
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    for _ in range(5):
        assert limiter.take("x", 1) == 0
    assert len(asked) == 1
    now[0] += limits.ASK_AGAIN_SECONDS
    assert limiter.take("x", 1) == 0
    assert len(asked) == 2


# Documentation


def test_the_documentation_names_every_operation_and_holds_no_inline_code(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        html = client.get("/api/v1/docs").content.decode()
    described = client.get("/api/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        assert f"<code>{path}</code>" in html
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in html
    assert "<script" not in html and " style=" not in html and "<style" not in html


def test_every_operation_documents_its_failures(client):
    described = client.get("/api/v1/openapi.json").json()
    envelope = {"$ref": "#/components/schemas/ErrorEnvelope"}
    for methods in described["paths"].values():
        for operation in methods.values():
            assert {"400", "401", "403", "413", "422", "429", "500", "503"} <= operation["responses"].keys()
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert answer["content"]["application/json"]["schema"] == envelope
            assert operation["security"]
