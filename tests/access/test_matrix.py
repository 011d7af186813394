import os
import re

import pytest

from tests.access import matrix
from tests.access.askers import LOGIN, Asker, askers
from tests.access.routes import addresses, filled
from tests.factories import StaffFactory
from tests.world import BODIES, populate, value_of

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST")
REWRITE = "REWRITE_ACCESS_MATRIX"
HOW = "If that is meant: make access-matrix, and read the diff of tests/access/matrix.txt."


@pytest.fixture
def everybody(settings) -> list[Asker]:
    settings.API_RATE_LIMIT = settings.API_STAFF_RATE_LIMIT = 0
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_x"]
    populate(text="Ada", staff=StaffFactory(is_superuser=True))
    return askers()


def asked(everybody: list[Asker]) -> dict[tuple[str, str], list[str]]:
    paths = {address: filled(address, value_of) for address in addresses()}
    bodies = {(address, "POST"): body() for address, body in BODIES.items()}
    return {
        (address, method): [asker.status_of(method, path, bodies.get((address, method))) for asker in everybody]
        for address, path in paths.items()
        for method in METHODS
    }


def test_every_address_answers_every_role_as_the_matrix_says(everybody):
    answers = asked(everybody)
    names = [asker.name for asker in everybody]
    text = matrix.written(names, answers)
    if os.environ.get(REWRITE):
        matrix.FILE.write_text(text)
    expected, actual = (matrix.read(each) for each in (matrix.FILE.read_text(), text))
    found = matrix.differences(expected, actual)
    assert not found, "\n".join([HOW, *found])
    assert expected == actual, f"A line stands twice or in the wrong place. {HOW}"


def lines():
    """The rows of the file, the answers by asker. What it says is what happens: see above."""
    head, *rows = matrix.read(matrix.FILE.read_text())
    names = head.split()
    for row in rows:
        method, *answers, address = row.split()
        yield method, address, dict(zip(names, answers, strict=True))


def test_nothing_breaks():
    assert [line for line in lines() if any(re.match("5", answer) for answer in line[2].values())] == []


# What the shell and the login need before anybody is known.
OPEN = re.compile(
    r"^/$|^/admin/(login|logout|password-reset|profiles|jsi18n)|^/(healthz|readyz|csp-reports|script-errors|webhooks)"
)


def test_who_is_not_let_in_sees_nothing_behind_the_login():
    for method, address, answers in lines():
        if address.startswith("/admin/") and not OPEN.match(address):
            assert {answers["nobody"], answers["customer"], answers["product"]} == {LOGIN}, (method, address)


REFUSED = {"403", "404", "405"}
# What staff without any permission may send: to log in and out, to their own account, and to lists and pages of the
# stock admin, which do nothing but lead on. The actions of lists are asked for in ``test_refusals.py``.
HARMLESS = re.compile(
    r"^/admin/$|^/admin/(account|login|logout|password-reset|password_change)/|^/admin/profiles$|^/admin/<app_label>/$"
    r"|^/admin/\w+/\w+/<object_id>/$"
    r"|^/admin/jobs/job/$"
)
# What only shows itself again; and the columns and filters that readers keep for themselves.
LOOKED_AT = re.compile(r"^/admin/\w+/\w+/(<object_id>/history/)?$|^/admin/jobs/job/<object_id>/change/$|^/admin/lists/")


@pytest.mark.parametrize("who", ["no-role", "viewer"])
def test_who_may_nothing_or_only_look_sends_no_form_of_the_admin(who):
    done = {
        address
        for method, address, answers in lines()
        if method == "POST" and address.startswith("/admin/") and answers[who] not in REFUSED
    }
    harmless = {address for address in done if HARMLESS.match(address)}
    looked_at = {address for address in done if who == "viewer" and LOOKED_AT.match(address)}
    assert done - harmless - looked_at == set()


def test_no_page_that_lets_rows_in_or_out_opens_for_who_may_only_look():
    doors = re.compile(r"/(export|import)/|^/admin/imports/|^/api/v1/admin/export/")
    found = {
        (method, address): {answers["no-role"], answers["viewer"]}
        for method, address, answers in lines()
        if doors.search(address) and answers["super-admin"] not in ("302", "405")
    }
    assert len(found) > 10
    assert {key: told for key, told in found.items() if told != {"403"}} == {}


def test_the_api_lets_nobody_in_without_a_key_and_the_product_not_to_what_is_the_staffs():
    for method, address, answers in lines():
        if address.startswith("/api/v1/") and address not in ("/api/v1/docs", "/api/v1/openapi.json", "/api/v1/"):
            assert {answers["nobody"], answers["customer"]} <= {"401", "405"}, (method, address)
            if address.startswith("/api/v1/admin/"):
                assert answers["product"] in ("403", "405"), (method, address)
                # A key of who may only look does no more than its owner.
                assert method == "GET" or answers["viewer"] in ("403", "405"), address
                # Else the body was refused before anybody asked for the permission.
                assert answers["no-role"] in ("403", "405"), f"{address}: say in BODIES of tests/world.py what to send"
            else:
                assert answers["super-admin"] in ("403", "405"), (method, address)
