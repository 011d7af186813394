"""A NUL, which PostgreSQL keeps in no text: wherever a request holds one, it is refused and nothing breaks."""

import pytest
from django.contrib.auth.models import Group
from django.urls import URLResolver, get_resolver

from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

NUL = "\0"
# As browsers and proxies write a cookie's value that holds one.
IN_A_COOKIE = '"a\\000b"'


def routes(resolver, prefix=""):
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        else:
            yield route


ADDRESSES = sorted({f"/{route}" for route in routes(get_resolver()) if "(?P" not in route})


def filled(address, person):
    """The address with an id of somebody in each place of it."""
    return "".join(part if "<" not in part else str(person.pk) for part in split(address))


def split(address):
    rest = address
    while "<" in rest:
        before, _, rest = rest.partition("<")
        inside, _, rest = rest.partition(">")
        yield before
        yield f"<{inside}>"
    yield rest


@pytest.fixture
def staff(client, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_x"]
    client.force_login(StaffFactory(is_superuser=True))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken", "theme", "timezone", "unheard-of"])
@pytest.mark.parametrize("address", ["/admin/", "/admin/login/", "/healthz"])
def test_a_cookie_with_a_nul_is_refused(client, settings, cookie, address):
    names = {"sessionid": settings.SESSION_COOKIE_NAME, "csrftoken": settings.CSRF_COOKIE_NAME}
    client.raise_request_exception = False
    response = client.get(address, HTTP_COOKIE=f"{names.get(cookie, cookie)}={IN_A_COOKIE}")
    assert response.status_code == 400
    assert "could not be read" in response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]


FIELDS = ["q", "o", "after", "before", "state", "action", "next", "_changelist_filters", "_to_field", "_popup", "term"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_breaks_over_a_nul_in_its_query_or_path(staff, address):
    person = CustomerFactory()
    # The API words it as it does all input that it cannot take.
    refused = 422 if address.startswith("/api/") else 400
    for query in (*FIELDS, NUL):
        assert staff.get(filled(address, person), {query: NUL}).status_code == refused, query
    assert staff.get(filled(address, person) + "%00").status_code == refused
    # The admin writes odd characters of a key with an underscore, and carries a list's own query inside of another.
    assert staff.get(filled(address, person) + "_00/").status_code < 500
    assert staff.get(filled(address, person), {"_changelist_filters": "q=%00"}).status_code < 500


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_breaks_over_a_nul_in_a_form(staff, address):
    person = CustomerFactory()
    Group.objects.create(name="Painters")
    path = filled(address, person)
    page = staff.get(path)
    shown = page.context["adminform"].form.fields if page.context and "adminform" in page.context else ()
    names = {*shown, "reason", "amount", "token", "action", "_selected_action", "index", "select_across", "username"}
    for name in names:
        data = {"action": "x", "_selected_action": "1", "index": "0", name: f"a{NUL}"}
        assert staff.post(path, data).status_code < 500, name
    assert staff.post(path, dict.fromkeys(names, NUL)).status_code < 500
    assert staff.post(path, {NUL: NUL}).status_code < 500
