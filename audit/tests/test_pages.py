import json
import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from audit import services
from audit.actions import Action
from audit.context import RequestContext, serving
from audit.models import AuditEntry
from backoffice.lib import clock
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:audit_auditentry_changelist")
EXPORT = reverse("admin:audit_auditentry_export", args=["audit"])


@pytest.fixture
def reader(client):
    member = StaffFactory(permissions=["audit.view_auditentry"])
    client.force_login(member)
    return member


@pytest.fixture
def seer(client):
    """Sees the log, customers, staff and the ledger."""
    seen = ["audit.view_auditentry", "accounts.view_customer", "accounts.view_staffmember"]
    member = StaffFactory(permissions=[*seen, "credits.view_credittransaction"])
    client.force_login(member)
    return member


def act(actor=None, action="credits.gift", resource_id="7", resource_type="accounts.user", **more):
    resource = services.Resource(resource_type, resource_id, f"{resource_type} {resource_id}")
    services.record(action=action, actor=actor, resource=resource, **more)
    return AuditEntry.objects.latest("pk")


def entries(response):
    return [entry.pk for entry in response.context["cl"].result_list]


def page_of(entry):
    return reverse("admin:audit_auditentry_change", args=[entry.pk])


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.parametrize(
    "query",
    [
        {"action": "credits.gift"},
        {"action": "area:credits"},
        {"staff": "READER"},
        {"resource_type__exact": "accounts.user"},
        {"resource_id__exact": " 7 "},
        {"request_id__exact": "request-0001"},
        {"at_from": "2026-03-01", "at_to": "2026-03-01"},
        {"q": "7"},
        {"q": "request-0001"},
        {"resource_type__exact": "accounts.user", "resource_id__exact": "7"},
    ],
)
def test_each_filter_narrows(client, reader, query):
    with clock.at(datetime(2026, 3, 1, 12, tzinfo=UTC)), serving(RequestContext(request_id="request-0001")):
        mine = act(reader)
    act(StaffFactory(), action="accounts.revoke_api_key", resource_id="8", resource_type="accounts.apikey")
    asked = {name: value.replace("READER", str(reader.pk)) for name, value in query.items()}
    assert entries(client.get(LIST, asked)) == [mine.pk]


def test_a_customer_is_found_by_the_address_that_the_log_does_not_hold(client, seer, reader):
    customer, other = CustomerFactory(email="Ada@example.com"), CustomerFactory()
    mine = act(seer, resource_id=str(customer.pk))
    act(seer, resource_id=str(other.pk))
    assert entries(client.get(LIST, {"q": "ada@EXAMPLE.com"})) == []
    client.force_login(seer)
    assert entries(client.get(LIST, {"q": " ada@EXAMPLE.com "})) == [mine.pk]
    nothing = client.get(LIST, {"q": "nobody@example.com"})
    assert entries(nothing) == [] and "Whole email or id" in text_of(nothing)


def test_what_the_system_did_is_a_filter_of_its_own(client, reader):
    act(reader)
    mine = act(None)
    assert entries(client.get(LIST, {"staff": "system"})) == [mine.pk]


@pytest.mark.parametrize("query", [{"action": "nonsense"}, {"action": "area:nonsense"}, {"q": "x"}])
def test_what_is_unknown_finds_nothing(client, reader, query):
    act(reader)
    assert entries(client.get(LIST, query)) == []


def test_actions_are_offered_by_area_with_the_verb_beside_the_words(client, reader):
    text = text_of(client.get(LIST))
    assert "Credits All of credits Gift credits credits.gift Adjust a balance credits.adjust" in text
    assert "People and access" in text


def test_what_is_chosen_is_said_in_words(client, reader):
    chips = {
        chip.label: chip.value
        for chip in client.get(LIST, {"action": "area:accounts", "staff": reader.pk}).context["cl"].chips
    }
    assert chips == {"action": "People and access", "staff": str(reader)}


def test_every_action_has_an_area_and_words(reader):
    for action in Action:
        assert action.partition(".")[2], action
        assert action.label[0].isupper() and "_" not in action.label


def test_a_verb_of_another_release_is_shown_in_its_own_words(client, reader):
    entry = act(reader, action="growth.make_coupon")
    assert "Make coupon growth.make_coupon" in text_of(client.get(page_of(entry)))


@pytest.mark.parametrize("staff", ["x", "-1", "9" * 30, "１"])
def test_a_member_in_the_address_who_is_none_neither_shows_nor_exports_the_whole_log(client, staff):
    client.force_login(StaffFactory(is_superuser=True))
    assert client.get(LIST, {"staff": staff})["Location"].endswith("?e=1")
    assert client.post(f"{EXPORT}?staff={staff}").status_code == 400


def test_the_list_takes_a_fixed_number_of_queries(client, seer, django_assert_num_queries):
    act(seer, resource_id=str(CustomerFactory().pk))
    client.get(LIST)
    # Of our own: the last proof, the staff and the types to choose from, and the people whom the rows are about.
    with django_assert_num_queries(10):
        client.get(LIST)
    for number in range(70):
        act(StaffFactory(), resource_id=str(CustomerFactory().pk), action="credits.adjust" if number % 2 else "x.y")
    with django_assert_num_queries(10):
        client.get(LIST)


def test_a_row_says_in_short_what_changed(client, reader):
    act(reader, old_values={"balance": "1"}, new_values={"balance": "6", "amount": "5"})
    assert "balance 1 → 6 amount 5" in text_of(client.get(LIST))


def test_an_entry_shows_old_beside_new_and_escapes_both(client, reader):
    entry = act(reader, old_values={"balance": "1"}, new_values={"balance": "<script>alert(1)</script>"}, reason="<b>")
    content = client.get(reverse("admin:audit_auditentry_change", args=[entry.pk])).content.decode()
    assert "&lt;script&gt;alert(1)" in content
    assert "<script>alert(1)" not in content


def test_the_log_is_closed_to_whoever_lacks_the_permission(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    entry = act()
    for address in (LIST, reverse("admin:audit_auditentry_change", args=[entry.pk])):
        assert client.get(address).status_code == 403


def test_nobody_writes_to_the_log_by_hand(client):
    client.force_login(StaffFactory(is_superuser=True))
    entry = act()
    for address in ("add/", f"{entry.pk}/change/", f"{entry.pk}/delete/"):
        assert client.post(LIST + address, {"reason": "x"}).status_code == 403


def test_reading_the_log_is_not_exporting_it(client, reader):
    assert client.post(EXPORT).status_code == 403


def test_the_export_is_itself_in_the_log(client):
    client.force_login(StaffFactory(permissions=["audit.view_auditentry", "audit.export_auditentry"]))
    act(reason="=1+1")
    lines = b"".join(client.post(EXPORT).streaming_content).decode()
    assert "'=1+1" in lines
    assert AuditEntry.objects.filter(action="audit.export").count() == 1


def test_an_entry_leads_to_what_it_is_about_and_to_who_did_it(client, seer):
    customer, colleague = CustomerFactory(), StaffFactory()
    entry = act(seer, resource_id=str(customer.pk), new_values={"transaction": 5, "staff": colleague.pk})
    html = client.get(page_of(entry)).content.decode()
    for address in (
        reverse("admin:accounts_customer_change", args=[customer.pk]),
        reverse("admin:accounts_staffmember_change", args=[seer.pk]),
        reverse("admin:accounts_staffmember_change", args=[colleague.pk]),
        reverse("admin:credits_credittransaction_change", args=[5]),
        f"{LIST}?staff={seer.pk}",
        f"{LIST}?resource_type__exact=accounts.user&amp;resource_id__exact={customer.pk}",
    ):
        assert f'href="{address}"' in html, address
    assert (
        f'href="{reverse("admin:accounts_customer_change", args=[customer.pk])}"' in client.get(LIST).content.decode()
    )


def test_a_link_is_there_only_for_whoever_may_see_what_it_leads_to(client, reader):
    customer = CustomerFactory()
    entry = act(reader, resource_id=str(customer.pk), new_values={"transaction": 5})
    html = client.get(page_of(entry)).content.decode()
    assert "/admin/accounts/customer/" not in html
    assert "/admin/accounts/staffmember/" not in html
    assert "/admin/credits/" not in html


@pytest.mark.parametrize(
    ("type_", "id_"),
    [("accounts.user", "x"), ("accounts.user", "9" * 30), ("accounts.user", ""), ("gone.model", "1"), ("", "1")],
)
def test_what_has_no_page_any_more_is_shown_without_a_link(client, seer, type_, id_):
    entry = act(None, resource_type=type_, resource_id=id_)
    assert client.get(LIST).status_code == 200
    assert client.get(page_of(entry)).status_code == 200


def test_the_entries_of_one_request_belong_together(client, reader):
    with serving(RequestContext(request_id="request-0001")):
        first, second = act(reader), act(reader)
    act(reader)
    assert f"{LIST}?request_id__exact=request-0001" in client.get(page_of(first)).content.decode()
    assert entries(client.get(LIST, {"request_id__exact": "request-0001"})) == [second.pk, first.pk]


def exported(client, query, **form):
    response = client.post(f"{EXPORT}?{query}", form)
    return response, b"".join(response.streaming_content).decode()


def test_the_files_hold_what_the_screen_counts(client):
    client.force_login(StaffFactory(is_superuser=True))
    for number in range(5):
        act(resource_id=str(number), new_values={"nested": {"n": [number]}})
    act(action="credits.adjust")
    query = "action=credits.gift"
    shown = client.get(LIST, {"action": "credits.gift"}).context["cl"].result_count
    _, csv = exported(client, query, format="csv")
    response, text = exported(client, query, format="json")
    rows = json.loads(text)
    assert shown == len(rows) == len(csv.splitlines()) - 1 == 5
    assert [row["new_values"] for row in rows] == [{"nested": {"n": [number]}} for number in range(5)]
    assert response["Content-Disposition"].endswith('.json"')
    kept = AuditEntry.objects.filter(action="audit.export").order_by("pk")
    assert [entry.new_values["file"] for entry in kept] == ["audit.csv", "audit.json"]
    assert kept[0].new_values["filters"] == {"action": ["credits.gift"]}


def test_there_is_no_other_format(client):
    client.force_login(StaffFactory(is_superuser=True))
    assert client.post(EXPORT, {"format": "xml"}).status_code == 400
    assert client.post(reverse("admin:accounts_customer_export", args=["users"]), {"format": "json"}).status_code == 400
    assert not AuditEntry.objects.exists()
