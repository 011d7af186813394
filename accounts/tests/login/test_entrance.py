"""Who comes in, by which way."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.views import LoginView as StockLoginView
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.views.generic import View

from accounts.login.views.entrance import SignInView
from accounts.models import User
from accounts.services import create_api_key
from accounts.tests.login.staff import HOME, LOGIN, PASSWORD, Browser, actions, enrol, latest, make_member
from tests.access.routes import addresses
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


def test_a_member_comes_in_by_the_password_where_no_more_is_required(browser, grace):
    assert browser.log_in()["Location"] == HOME
    assert browser.is_in
    entry = latest("accounts.sign_in")
    assert (entry.actor, entry.resource_id, entry.ip) == (grace, str(grace.pk), "192.0.2.1")
    assert entry.new_values == {"second_factor": "", "session": browser.client.session.public_id}


@pytest.mark.parametrize("email", ["GRACE@example.com", " grace@EXAMPLE.com "])
def test_the_case_of_an_address_does_not_matter(browser, grace, email):
    browser.give_password(email)
    assert browser.is_in


@pytest.mark.parametrize("status", ["suspended", "banned"])
def test_whoever_is_shut_out_learns_no_more_than_a_stranger(browser, grace, status):
    User.objects.filter(pk=grace.pk).update(status=status)
    shut_out = browser.give_password().content.decode()
    stranger = Browser("192.0.2.2").give_password("nobody@example.com").content.decode()
    assert [faults(page) for page in (shut_out, stranger)] == [faults(stranger)] * 2 != [[]]
    assert not browser.is_in


def faults(page):
    return re.findall(r'class="errornote"[^>]*>([^<]+)', page)


def test_a_customer_with_the_right_password_never_comes_in(browser):
    customer = User.objects.create_user("ada@example.com", PASSWORD)
    assert browser.give_password("ada@example.com").status_code == 200
    browser.client.force_login(customer)
    assert not browser.is_in


def test_there_is_one_way_in():
    views = {address: resolve(address).func for address in addresses() if "<" not in address}
    classes = {address: getattr(view, "view_class", View) for address, view in views.items()}
    logins = [address for address, made in classes.items() if issubclass(made, (SignInView, StockLoginView))]
    assert logins == [LOGIN]
    assert reverse("admin:login") == LOGIN == reverse("account_login")


@pytest.mark.parametrize("path", ["signup/", "login/", "email/", "login/code/", "social/connections/", ""])
def test_what_else_allauth_has_does_not_exist(client, path):
    client.force_login(StaffFactory(is_superuser=True))
    assert client.get(f"/accounts/{path}").status_code == 404
    names = get_resolver().reverse_dict
    assert not {"account_signup", "account_email", "account_set_password", "mfa_login_webauthn"} & set(names)


def test_the_stock_form_which_asks_for_a_password_alone_is_behind_the_login(rf):
    from django.contrib import admin  # noqa: PLC0415 (the site is made when the apps are ready)
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    request = rf.post(LOGIN, {"username": "grace@example.com", "password": PASSWORD})
    request.user = AnonymousUser()
    assert admin.site.login(request)["Location"].startswith(LOGIN)


def test_the_session_id_changes_at_login_and_the_old_one_is_worth_nothing(browser, grace):
    browser.get(LOGIN)
    session = browser.client.session
    session["visited"] = True
    session.save()
    before = session.session_key
    browser.log_in()
    assert browser.key != before
    thief = Browser()
    thief.client.cookies[next(iter(browser.client.cookies))] = before
    assert not thief.is_in


def test_a_page_that_was_asked_for_is_where_the_login_leads(browser, grace):
    sent = browser.get("/admin/accounts/staffmember/")["Location"]
    response = browser.client.post(
        sent, {"username": grace.email, "password": PASSWORD, "next": "/admin/accounts/role/"}
    )
    assert response["Location"] == "/admin/accounts/role/"


@pytest.mark.parametrize("url", ["https://evil.example", "//evil.example", "javascript:alert(1)", r"\\evil.example"])
def test_the_login_leads_nowhere_else(browser, grace, url):
    response = browser.post(LOGIN, username=grace.email, password=PASSWORD, next=url)
    assert response["Location"] == HOME


def test_a_failed_sign_in_is_told_of_by_the_members_id_and_a_strangers_address_is_not_kept(browser, grace):
    browser.give_password(password="wrong")
    entry = latest("accounts.sign_in_failed")
    assert (entry.actor, entry.resource_id, entry.new_values) == (None, str(grace.pk), {"step": "password"})
    browser.give_password("my-password-by-mistake@example.com")
    entry = latest("accounts.sign_in_failed")
    assert entry.new_values == {"step": "password", "address": "(withheld)"}
    assert "mistake" not in str(entry.__dict__)


def test_logging_out_ends_the_session_and_is_told_of(browser, grace):
    browser.log_in()
    kept, session = browser.client.cookies.output(), browser.client.session.public_id
    assert "You are logged out" in browser.post(reverse("admin:logout")).content.decode()
    browser.client.cookies.load(kept.replace("Set-Cookie: ", ""))
    assert not browser.is_in
    assert latest("accounts.sign_out").old_values == {"session": session}


def test_a_login_that_stopped_half_way_can_be_given_up(browser, grace):
    enrol(grace)
    browser.log_in()
    assert browser.get(LOGIN)["Location"].endswith("second-factor/")
    browser.post(reverse("admin:logout"))
    assert browser.get(LOGIN).status_code == 200
    assert "accounts.sign_out" not in actions()


def test_nobody_keeps_addresses_beside_those_of_the_people(browser, grace):
    enrol(grace)
    browser.log_in()
    browser.get(reverse("account_security"))
    assert not EmailAddress.objects.exists()


def test_keys_of_the_api_ask_for_no_second_factor(required, client, grace):
    secret = create_api_key(name="script", scopes=["read"], staff=grace, actor=None).secret
    answer = client.get("/api/v1/admin/export/users", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


# What a page elsewhere could have a browser send.


@pytest.fixture
def strict(grace):
    client = Client(enforce_csrf_checks=True)
    client.force_login(grace)
    return client


@pytest.mark.parametrize("address", [LOGIN, "/admin/accounts/role/add/", "/admin/account/confirm/", "/admin/logout/"])
def test_a_form_without_its_token_is_refused(strict, address):
    assert strict.post(address, {"name": "x"}).status_code == 403


def test_a_form_from_another_origin_is_refused(strict):
    strict.get("/admin/accounts/role/add/")
    token = next(cookie.value for name, cookie in strict.cookies.items() if "csrf" in name)
    form = {"name": "x", "csrfmiddlewaretoken": token}
    refused = strict.post("/admin/accounts/role/add/", form, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert strict.post("/admin/accounts/role/add/", form, headers={"Origin": "http://testserver"}).status_code == 302


def test_a_forged_host_is_refused(strict):
    assert strict.get(HOME, headers={"Host": "evil.example"}).status_code == 400
    assert strict.get(LOGIN, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("address", [HOME, LOGIN, "/admin/password-reset/", "/admin/account/"])
def test_no_page_shows_in_a_frame(strict, address):
    response = strict.get(address)
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_two_members_do_not_meet(grace):
    make_member("linus@example.com", is_superuser=False)
    first, second = Browser(), Browser()
    first.log_in()
    second.log_in("linus@example.com")
    assert first.is_in and second.is_in
    assert second.get("/admin/accounts/role/add/").status_code == 403
