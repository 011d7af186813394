"""``GET admin/audit/logs``."""

from datetime import UTC, datetime

import pytest

from audit import services
from audit.context import RequestContext, serving
from audit.models import AuditEntry
from backoffice.lib import clock
from tests.api import Program, code_of, key
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

SEE, EXPORT = "audit.view_auditentry", "audit.export_auditentry"
KEYS = {
    *("id", "seq", "at", "staff", "action", "label", "resource_type", "resource_id", "resource"),
    *("old_values", "new_values", "reason", "ip", "user_agent", "request_id", "hash"),
}


def program(*permissions):
    member = StaffFactory(permissions=permissions)
    asking = Program(key("read", staff=member))
    return asking, member


def act(actor=None, action="credits.gift", resource_id="7", **more):
    resource = services.Resource("accounts.user", resource_id, f"user {resource_id}")
    services.record(action=action, actor=actor, resource=resource, **more)
    return AuditEntry.objects.latest("pk")


def asked(asking, query=""):
    response = asking.get(f"admin/audit/logs?{query}")
    assert response.status_code == 200, response.content
    return response.json()


def test_an_entry_is_told_whole():
    asking, member = program(SEE)
    entry = act(member, old_values={"balance": "1"}, new_values={"balance": "2"}, reason="sorry")
    told = asked(asking, "action=credits.gift")["logs"][0]
    assert set(told) == KEYS
    assert (told["id"], told["staff"], told["label"], told["resource"]) == (
        entry.pk,
        member.email,
        "Gift credits",
        "user 7",
    )
    assert (told["old_values"], told["new_values"], told["reason"]) == ({"balance": "1"}, {"balance": "2"}, "sorry")
    assert told["at"].endswith("Z")


@pytest.mark.parametrize(
    "query",
    [
        "action=credits.gift",
        "staff=GRACE@example.com",
        "resource_type=accounts.user&resource_id=7",
        "request_id=request-0001",
        "since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z",
    ],
)
def test_each_filter_narrows(query):
    asking, _ = program(SEE)
    with clock.at(datetime(2026, 3, 1, 12, tzinfo=UTC)), serving(RequestContext(request_id="request-0001")):
        mine = act(StaffFactory(email="grace@example.com"))
    act(action="credits.adjust", resource_id="8")
    assert [entry["id"] for entry in asked(asking, query)["logs"]] == [mine.pk]


def test_a_stranger_did_nothing():
    asking, _ = program(SEE)
    act()
    assert asked(asking, "staff=nobody@example.com") == {"logs": [], "next_cursor": None}


def test_pages_follow_one_another_by_cursor():
    asking, _ = program(SEE)
    acts = [act(resource_id=str(number)).pk for number in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = asked(
            asking, f"action=credits.gift&limit=2&cursor={cursor}" if cursor else "action=credits.gift&limit=2"
        )
        seen += [entry["id"] for entry in page["logs"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == acts[::-1]


def test_it_takes_the_permission_to_see_and_for_a_file_the_one_to_export():
    blind, _ = program()
    seeing, _ = program(SEE)
    assert code_of(blind.get("admin/audit/logs")) == "permission_missing"
    assert code_of(seeing.get("admin/audit/logs?format=csv")) == "permission_missing"
    assert not AuditEntry.objects.filter(action="audit.export").exists()


def test_a_file_holds_all_that_fits_and_is_an_entry_itself():
    asking, member = program(SEE, EXPORT)
    for number in range(3):
        act(resource_id=str(number), reason="=1+1")
    act(action="credits.adjust")
    response = asking.get("admin/audit/logs?format=csv&action=credits.gift&limit=1")
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert (response["Content-Type"], len(lines)) == ("text/csv; charset=utf-8", 4)
    assert all("'=1+1" in line for line in lines[1:])
    entry = AuditEntry.objects.get(action="audit.export")
    assert (entry.actor, entry.new_values) == (
        member,
        {"file": "audit.csv", "filters": {"action": ["credits.gift"]}},
    )


@pytest.mark.parametrize("query", ["format=xml", "limit=0", "since=yesterday", "cursor=x", "action=" + "x" * 300])
def test_what_cannot_be_read_is_refused(query):
    asking, _ = program(SEE)
    assert asking.get(f"admin/audit/logs?{query}").status_code == 422


def test_a_page_takes_a_fixed_number_of_queries(django_assert_num_queries):
    asking, member = program(SEE)
    for _ in range(30):
        act(member)
    asked(asking)
    # The key and its use, the two kinds of permissions, the entries.
    with django_assert_num_queries(4):
        asked(asking)
