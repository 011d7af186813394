"""The forms that shut a customer out or let them in again, and the button that takes it back."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from accounts import services
from accounts.models import StatusChange
from audit.models import AuditEntry
from backoffice.lib import clock
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

ALL = ["accounts.view_customer", "accounts.ban_user", "accounts.suspend_user"]
TOKEN = "6f1f7a52-7d0e-4b8f-9b0f-0d7c1a3f9d11"


def address(name, user):
    return reverse(f"admin:accounts_customer_{name}", args=[user.pk])


def form(**values):
    return {"preset": "Payment fraud", "words": "", "duration": "good", "last_day": "", "token": TOKEN} | values


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=ALL)
    client.force_login(member)
    return member


def test_the_effect_is_shown_before_anything_is_done(client, staff):
    customer = CustomerFactory()
    page = client.post(address("ban", customer), form()).content.decode()
    assert "Is this right?" in page
    assert re.search(r"Charges.*accepted.*refused \(user_banned\)", page, re.DOTALL)
    assert "Payment fraud" in page
    customer.refresh_from_db()
    assert customer.status == "active"


def test_a_ban_is_done_once_for_a_double_click_and_offers_to_be_undone(client, staff):
    customer = CustomerFactory()
    done = client.post(address("ban", customer), form(words="Card 4242", confirm="yes"), follow=True)
    customer.refresh_from_db()
    assert (customer.status, customer.status_reason) == ("banned", "Payment fraud: Card 4242")
    change = StatusChange.objects.get()
    undo = reverse("admin:accounts_customer_undo_status", args=[change.pk])
    assert f'action="{undo}"' in done.content.decode()
    again = client.post(address("ban", customer), form(words="Card 4242", confirm="yes"), follow=True)
    assert "nothing was done again" in again.content.decode()
    assert StatusChange.objects.count() == 1
    undone = client.post(undo, follow=True)
    assert "active again" in undone.content.decode()
    customer.refresh_from_db()
    assert customer.status == "active"


@pytest.mark.parametrize(("duration", "days"), [("1", 1), ("7", 7), ("30", 30)])
def test_a_suspension_ends_after_the_days_that_were_chosen(client, staff, duration, days):
    customer = CustomerFactory()
    client.post(address("suspend", customer), form(duration=duration, confirm="yes"))
    customer.refresh_from_db()
    assert abs(customer.status_until - clock.now() - timedelta(days=days)) < timedelta(minutes=1)


def test_a_suspension_can_end_with_a_day(client, staff):
    customer = CustomerFactory()
    day = clock.now().date() + timedelta(days=3)
    client.post(address("suspend", customer), form(duration="day", last_day=day.isoformat(), confirm="yes"))
    customer.refresh_from_db()
    assert customer.status_until.isoformat() == f"{day + timedelta(days=1)}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"preset": ""}, "required"),
        ({"preset": "other"}, "Say which reason"),
        ({"preset": "<script>"}, "Select a valid choice"),
        ({"words": "a\x00b"}, "Null characters"),
        ({"words": "x" * 451}, "at most 450"),
        ({"duration": "day"}, "Choose the day"),
        ({"duration": "day", "last_day": "2001-01-01"}, "from today on"),
        ({"duration": "day", "last_day": "soon"}, "valid date"),
        ({"duration": "7", "last_day": "2099-01-01"}, "at most ten years"),
        ({"duration": "0"}, "Select a valid choice"),
    ],
)
def test_bad_values_get_a_clear_error_and_change_nothing(client, staff, values, words):
    customer = CustomerFactory()
    response = client.post(address("ban", customer), form(**values, confirm="yes"))
    assert response.status_code == 200
    assert words in str(response.context["form"].errors)
    customer.refresh_from_db()
    assert customer.status == "active"


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("ban", "accounts.ban_user"),
        ("unban", "accounts.ban_user"),
        ("suspend", "accounts.suspend_user"),
        ("reinstate", "accounts.suspend_user"),
    ],
)
def test_each_form_needs_its_own_permission(client, name, permission):
    customer = CustomerFactory()
    client.force_login(StaffFactory(permissions=[other for other in ALL if other != permission]))
    assert client.get(address(name, customer)).status_code == 403
    client.force_login(StaffFactory(permissions=[permission]))
    assert client.get(address(name, customer)).status_code == 200


@pytest.mark.parametrize("name", ["ban", "unban", "suspend", "reinstate"])
def test_staff_have_no_such_pages(client, staff, name):
    assert client.get(address(name, StaffFactory())).status_code == 404


def test_a_lift_says_what_it_does_and_does_it(client, staff):
    customer = CustomerFactory()
    services.ban_customer(user_id=customer.pk, reason="x", actor=staff)
    given = {"reason": "Paid after all", "token": TOKEN}
    assert "Is this right?" in client.post(address("unban", customer), given).content.decode()
    client.post(address("unban", customer), given | {"confirm": "yes"})
    customer.refresh_from_db()
    assert customer.status == "active"
    assert AuditEntry.objects.latest("pk").reason == "Paid after all"


def test_there_is_nothing_to_lift_from_who_is_active(client, staff):
    response = client.post(address("unban", CustomerFactory()), {"reason": "x", "token": TOKEN})
    assert "nothing to lift" in response.content.decode()


def test_undo_takes_a_post_and_the_permission_of_what_it_undoes(client, staff):
    change = services.ban_customer(user_id=CustomerFactory().pk, reason="x", actor=staff).change
    undo = reverse("admin:accounts_customer_undo_status", args=[change.pk])
    assert client.get(undo).status_code == 405
    for permissions in ([], ["accounts.suspend_user"]):
        client.force_login(StaffFactory(permissions=permissions))
        assert client.post(undo).status_code == 403
    assert StatusChange.objects.count() == 1
    client.force_login(staff)
    assert client.post(reverse("admin:accounts_customer_undo_status", args=[10**9])).status_code == 404


def test_undo_of_what_changed_since_says_so(client, staff):
    customer = CustomerFactory()
    change = services.suspend_customer(user_id=customer.pk, reason="x", actor=staff).change
    services.ban_customer(user_id=customer.pk, reason="x", actor=staff)
    undone = client.post(reverse("admin:accounts_customer_undo_status", args=[change.pk]), follow=True)
    assert "can no longer be undone" in undone.content.decode()


def test_the_page_says_until_when_and_what_was_undone_in_words(client, staff):
    customer = CustomerFactory(email="owen@example.com")
    with clock.at(datetime(2026, 3, 10, 12, tzinfo=UTC)):
        ban = services.ban_customer(user_id=customer.pk, reason="x", actor=staff, until=clock.now() + timedelta(days=7))
        page = client.get(address("change", customer)).content.decode()
        assert re.search(r"Banned until <time[^>]*>17 Mar 2026, 12:00</time>: x", page)
        undone = client.post(reverse("admin:accounts_customer_undo_status", args=[ban.change.pk]), follow=True)
    assert "(undone)" in undone.content.decode() and "undo:" not in undone.content.decode()


def test_an_address_is_told_as_it_is_written(client, staff):
    customer = CustomerFactory(email="owen@example.com")
    told = client.post(address("ban", customer), form(confirm="yes"), follow=True).content.decode()
    assert "<span>owen@example.com is banned.</span>" in told


def test_the_page_offers_what_fits_and_shows_the_history_escaped(client, staff):
    customer = CustomerFactory()

    def offered():
        groups = client.get(address("change", customer)).context["action_groups"]
        return [action.key for group in groups for action in group.actions]

    assert offered() == ["suspend", "ban"]
    services.suspend_customer(user_id=customer.pk, reason="<script>alert(1)</script>", actor=staff)
    assert offered() == ["reinstate", "ban"]
    services.ban_customer(user_id=customer.pk, reason="y", actor=staff)
    assert offered() == ["unban"]
    page = client.get(address("change", customer)).content.decode()
    assert "Suspended → Banned" in page
    assert "<script>alert(1)" not in page
