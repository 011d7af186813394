import pytest
from django.urls import reverse

from audit import services
from audit.models import AuditEntry
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:audit_auditentry_changelist")
EXPORT = reverse("admin:audit_auditentry_export", args=["audit"])


@pytest.fixture
def reader(client):
    member = StaffFactory(permissions=["audit.view_auditentry"])
    client.force_login(member)
    return member


def act(actor=None, action="credits.gift", resource_id="7", **more):
    resource = services.Resource("accounts.user", resource_id, f"user {resource_id}")
    return services.record(action=action, actor=actor, resource=resource, **more)


def entries(response):
    return [entry.pk for entry in response.context["cl"].result_list]


def test_each_filter_narrows(client, reader):
    mine = act(reader)
    other = act(action="credits.adjust", resource_id="8")
    assert entries(client.get(LIST)) == [other.pk, mine.pk]
    for query in (
        {"action": "credits.gift"},
        {"staff": str(reader.pk)},
        {"q": "7"},
        {"resource_type__exact": "accounts.user", "resource_id__exact": "7"},
    ):
        assert entries(client.get(LIST, query)) == [mine.pk], query
    assert entries(client.get(LIST, {"at_to": "2001-01-01"})) == []


def test_the_list_takes_a_fixed_number_of_queries(client, reader, django_assert_num_queries):
    act(reader)
    client.get(LIST)
    with django_assert_num_queries(7):
        client.get(LIST)
    for number in range(70):
        act(StaffFactory(), resource_id=str(number))
    with django_assert_num_queries(7):
        client.get(LIST)


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
