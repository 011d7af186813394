"""The shell: alive, ready, headers, reports of browsers."""

import json
import re

import pytest
import redis
from django.urls import reverse

from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

DIRECTIVES = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}


def policy_of(response):
    parts = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts if name}


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/healthz", "/nowhere", "/admin/accounts/customer/"])
def test_every_answer_has_the_strict_policy(client, address):
    client.force_login(StaffFactory(is_superuser=True))
    response = client.get(address)
    policy = policy_of(response)
    assert {name: policy[name] for name in DIRECTIVES} == DIRECTIVES
    assert re.fullmatch(r"'self'( 'nonce-[A-Za-z0-9+/=_-]+')?", policy["script-src"])
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/admin/accounts/customer/", "/nowhere"])
def test_pages_hold_no_inline_code(client, address):
    client.force_login(StaffFactory(is_superuser=True))
    html = client.get(address, follow=True).content.decode()
    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=|javascript:", html)
    for script in re.findall(r"<script[^>]*>", html):
        assert "src=" in script or 'type="application/json"' in script


def test_a_page_names_a_nonce_that_is_new_each_time(client):
    nonces = {policy_of(client.get("/admin/login/"))["script-src"] for _ in range(3)}
    assert len(nonces) == 3


def test_the_front_door_leads_to_the_admin(client):
    assert client.get("/")["Location"] == "/admin/"
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin/profiles")["Location"] == reverse("admin:accounts_customer_changelist")


def test_alive_asks_nothing_of_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert response.status_code == 200


def test_ready_names_what_it_asked(client):
    body = client.get("/readyz").json()
    assert (body["database"], body["redis"], body["overall"]) == ("up", "up", "up")
    assert body["latency_ms"] >= 0


def test_without_redis_it_is_not_ready(client, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert (response.json()["redis"], response.json()["database"], response.json()["overall"]) == ("down", "up", "down")
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(settings.REDIS_URL).ping()


@pytest.mark.parametrize("address", ["/csp-reports/", "/script-errors/"])
@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"x" * 100_000, json.dumps({"a": 1}).encode()])
def test_reports_of_browsers_are_taken_and_bounded(client, address, body):
    assert client.post(address, body, content_type="application/csp-report").status_code == 204
    assert client.get(address).status_code == 405


def test_an_error_page_names_its_request_for_whoever_reports_it(client, monkeypatch):
    client.force_login(StaffFactory(is_superuser=True))
    client.raise_request_exception = False
    broken = "backoffice.lib.admin.navigation.sidebar"
    lost = client.get("/nowhere")
    unread = client.get("/admin/?q=%00")
    monkeypatch.setattr(broken, lambda request: 1 / 0)
    fault = client.get("/admin/")
    assert [response.status_code for response in (lost, unread, fault)] == [404, 400, 500]
    for response in (lost, unread, fault):
        assert f"<code>{response['X-Request-ID']}</code>" in response.content.decode()


def test_a_fault_of_the_session_is_named_too(client, monkeypatch, settings):
    client.force_login(StaffFactory(is_superuser=True))
    client.raise_request_exception = False
    settings.SESSION_SAVE_EVERY_REQUEST = True
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.save", lambda *args, **kwargs: 1 / 0)
    response = client.get("/admin/")
    assert response.status_code == 500
    assert f"<code>{response['X-Request-ID']}</code>" in response.content.decode()
