from types import SimpleNamespace

import pytest
from django.http import HttpResponse

from backoffice.lib.background import background, is_background


def page(request):
    return HttpResponse()


@background
def polled(request):
    return HttpResponse()


@pytest.mark.parametrize(
    ("view", "headers", "expected"),
    [(page, {}, False), (polled, {}, True), (page, {"X-Background": "1"}, True), (page, {"X-Background": "0"}, False)],
)
def test_a_request_that_a_page_makes_by_itself_is_marked_by_its_view_or_its_header(rf, view, headers, expected):
    request = rf.get("/", headers=headers)
    request.resolver_match = SimpleNamespace(func=view)
    assert is_background(request) is expected


def test_a_request_that_leads_nowhere_is_somebodys(rf):
    assert not is_background(rf.get("/"))
