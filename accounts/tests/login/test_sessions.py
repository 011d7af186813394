"""How long sessions last, and how they end."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import StaffSession, User
from accounts.services.customers import put_customer
from accounts.tasks import clear_sessions
from accounts.tests.login.staff import HOME, LOGIN, PASSWORD, Browser, actions, latest, make_member
from backoffice.lib import clock
from backoffice.lib.background import HEADER

pytestmark = pytest.mark.django_db

SESSIONS = reverse("account_sessions")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"


@pytest.fixture
def inside(browser, grace):
    browser.log_in()
    return browser


def queries_of(browser):
    """How many queries the page of sessions takes, with whatever the sidebar counts."""
    browser.get(SESSIONS)
    with CaptureQueriesContext(connection) as queries:
        browser.get(SESSIONS)
    return len(queries)


def later(**age):
    return clock.at(clock.now() + timedelta(**age))


def test_a_session_ends_after_half_an_hour_with_nobody_at_it(inside):
    with later(minutes=29, seconds=50):
        assert inside.is_in
    with later(minutes=59):
        assert inside.is_in
    with later(minutes=89, seconds=30):
        assert not inside.is_in
        # Said once, on the login page that the next click leads to.
        assert "You were logged out" in inside.get(LOGIN).content.decode()
        assert "You were logged out" not in inside.get(LOGIN).content.decode()


def test_a_login_page_does_not_tell_a_stranger_that_they_were_logged_out(browser):
    assert "You were logged out" not in browser.get(LOGIN).content.decode()


def test_a_form_that_is_sent_after_the_session_ended_is_told_that_nothing_came_of_it(inside):
    with later(minutes=45):
        sent = inside.post(reverse("admin:accounts_tag_add"), name="VIP")
        assert sent["Location"].startswith(LOGIN)
        told = inside.get(LOGIN).content.decode()
    assert "You were logged out" in told and "What you sent was not done" in told


def test_a_session_ends_after_twelve_hours_however_busy(inside):
    for minutes in range(0, 12 * 60, 25):
        with later(minutes=minutes):
            assert inside.is_in
    with later(hours=12, seconds=1):
        assert not inside.is_in


def test_what_a_page_asks_by_itself_keeps_no_session_alive(inside):
    for minutes in (10, 20, 29):
        with later(minutes=minutes):
            assert inside.client.get(HOME, headers={HEADER: "1"}).status_code == 200
    with later(minutes=31):
        assert not inside.is_in


def test_seeing_a_session_costs_a_write_a_minute(inside, django_assert_num_queries):
    usual = queries_of(inside)
    for seconds, writes in ((10, 0), (61, 1), (100, 0)):
        with later(seconds=seconds), django_assert_num_queries(usual + writes):
            inside.get(SESSIONS)


@pytest.mark.parametrize(
    "change",
    [{"status": "banned"}, {"status": "suspended"}, {"is_staff": False}, {"password": "!"}],
    ids=["ban", "suspension", "demotion", "new password"],
)
def test_a_session_ends_with_what_it_was_opened_with_and_never_comes_back(inside, grace, change):
    before = User.objects.filter(pk=grace.pk).values(*change).get()
    User.objects.filter(pk=grace.pk).update(**change)
    assert not StaffSession.objects.filter(user=grace).exists()
    assert not inside.is_in
    # Nor when it is undone, whoever did it and by whatever way.
    User.objects.filter(pk=grace.pk).update(**before)
    assert not inside.is_in


def test_a_change_of_a_name_ends_nothing(inside, grace):
    User.objects.filter(pk=grace.pk).update(full_name="Grace Hopper", status="active")
    assert inside.is_in


def test_bulk_changes_and_saves_of_models_end_sessions_too(inside, grace):
    person = get_user_model().objects.get(pk=grace.pk)
    person.status = "banned"
    person.save()
    assert not StaffSession.objects.exists()


def test_customers_have_no_sessions_to_end(db):
    put_customer(external_id="u_1", told={"email": "ada@example.com"})
    assert User.objects.update(status="suspended") == 1


def test_a_session_shows_where_it_was_opened(grace):
    browser = Browser("192.0.2.7")
    browser.client.defaults["HTTP_USER_AGENT"] = FIREFOX
    browser.log_in()
    session = StaffSession.objects.get(user=grace)
    assert (session.ip, session.user_agent) == ("192.0.2.7", FIREFOX)
    page = browser.get(SESSIONS).content.decode()
    assert "Firefox on Linux" in page
    assert "192.0.2.7" in page
    assert page.count("This one") == 1
    assert browser.key not in page


def test_one_session_is_ended_and_told_of(inside, grace):
    other = Browser("192.0.2.2")
    other.log_in()
    public_id = other.client.session.public_id
    inside.post(reverse("account_end_session", args=[public_id]))
    assert not other.is_in
    assert inside.is_in
    entry = latest("accounts.end_session")
    assert (entry.actor, entry.old_values) == (grace, {"sessions": [public_id]})
    again = inside.client.post(reverse("account_end_session", args=[public_id]), follow=True)
    assert "was over already" in again.content.decode()


def test_all_other_sessions_are_ended_at_once(inside, grace):
    others = [Browser(f"192.0.2.{number}") for number in (2, 3)]
    for other in others:
        other.log_in()
    inside.post(reverse("account_end_other_sessions"))
    assert inside.is_in
    assert not any(other.is_in for other in others)
    assert len(latest("accounts.end_session").old_values["sessions"]) == 2


def test_nobody_ends_a_strangers_session(inside):
    make_member("linus@example.com", is_superuser=False)
    linus = Browser("192.0.2.2")
    linus.log_in("linus@example.com")
    inside.post(reverse("account_end_session", args=[linus.client.session.public_id]))
    assert linus.is_in
    assert "accounts.end_session" not in actions()


@pytest.mark.parametrize(
    "path", [reverse("account_end_other_sessions"), reverse("account_end_session", args=[uuid.UUID(int=1)])]
)
def test_sessions_are_ended_by_post_only(inside, path):
    assert inside.get(path).status_code == 405


def test_a_super_admin_sees_and_ends_a_colleagues_sessions(inside, grace):
    linus = make_member("linus@example.com", is_superuser=False)
    theirs = [Browser(f"192.0.2.{number}") for number in (2, 3, 4)]
    for browser in theirs:
        browser.log_in("linus@example.com")
    page = reverse("admin:accounts_staffmember_sessions", args=[linus.pk])
    assert "192.0.2.3" in inside.get(page).content.decode()
    inside.post(page, session=theirs[0].client.session.public_id)
    assert [browser.is_in for browser in theirs] == [False, True, True]
    inside.post(page)
    assert not any(browser.is_in for browser in theirs)
    assert inside.is_in
    assert latest("accounts.end_session").resource_id == str(linus.pk)


@pytest.mark.parametrize("public_id", ["nonsense", "a\0b", "' OR 1=1"])
def test_a_name_that_is_no_sessions_ends_none(inside, public_id):
    linus = make_member("linus@example.com")
    page = reverse("admin:accounts_staffmember_sessions", args=[linus.pk])
    assert "over already" in inside.client.post(page, {"session": public_id}, follow=True).content.decode()


def test_the_list_of_sessions_takes_a_fixed_number_of_queries(inside, django_assert_num_queries):
    usual = queries_of(inside)
    for number in range(10):
        Browser(f"192.0.2.{number}").log_in()
    with django_assert_num_queries(usual):
        inside.get(SESSIONS)


def test_sessions_that_are_long_over_are_cleared_away(inside):
    StaffSession.objects.update(expire_date=clock.now() - timedelta(seconds=1))
    clear_sessions()
    assert not StaffSession.objects.exists()


def test_whoever_changes_their_password_stays_in_here_and_nowhere_else(inside, grace):
    other = Browser("192.0.2.2")
    other.log_in()
    before = inside.key
    form = {
        "old_password": PASSWORD,
        "new_password1": "another good password",
        "new_password2": "another good password",
    }
    assert inside.post(reverse("account_change_password"), **form).status_code == 302
    assert inside.is_in
    assert inside.key != before
    assert not other.is_in


def test_a_new_password_makes_no_session_last_longer(inside):
    new = "another good password"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    with later(minutes=20):
        inside.post(reverse("account_change_password"), **form)
    for minutes in range(40, 12 * 60, 25):
        with later(minutes=minutes):
            assert inside.is_in
    with later(hours=12, seconds=1):
        assert not inside.is_in
