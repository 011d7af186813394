from ipaddress import ip_network

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from audit import services
from audit.context import RequestContext, current
from audit.middleware import request_context
from audit.models import AuditEntry
from backoffice.lib.client_address import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "198.51.100.1", None),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_saw(remote, forwarded, found):
    assert client_address(remote, forwarded, PROXIES) == found


def seen_by_view(**headers):
    seen = []

    def view(request):
        seen.append(current())
        return HttpResponse()

    response = request_context(view)(RequestFactory().get("/", **headers))
    return seen[0], response


def test_the_request_is_known_while_it_is_served_and_forgotten_after():
    context, response = seen_by_view(HTTP_USER_AGENT="Firefox", HTTP_X_REQUEST_ID="abcdef-123456")
    assert context == RequestContext(ip="127.0.0.1", user_agent="Firefox", request_id="abcdef-123456")
    assert response["X-Request-ID"] == "abcdef-123456"
    assert current() == RequestContext()


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "<script>alert(1)</script>", "a\nb-12345678"])
def test_a_request_id_that_could_do_harm_is_replaced(given):
    context, _ = seen_by_view(HTTP_X_REQUEST_ID=given)
    assert context.request_id != given
    assert len(context.request_id) == 32


def test_a_user_agent_is_cut_and_loses_its_nul():
    context, _ = seen_by_view(HTTP_USER_AGENT="a\x00" + "b" * 1000)
    assert context.user_agent == "a" + "b" * 399


@pytest.mark.django_db
def test_an_entry_carries_where_it_came_from():
    def view(request):
        with transaction.atomic():
            services.record(action="tests.act", actor=None, resource=services.Resource("t", "1", "t 1"))
        return HttpResponse()

    request_context(view)(RequestFactory().get("/", HTTP_USER_AGENT="Firefox"))
    entry = AuditEntry.objects.get()
    assert (entry.ip, entry.user_agent, len(entry.request_id)) == ("127.0.0.1", "Firefox", 32)
    assert entry.actor_label == "system"
