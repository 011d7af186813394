"""New passwords: chosen by whoever is in, or by a link in a mail."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from accounts import tasks
from accounts.models import User
from accounts.services import passwords
from accounts.tests.login.staff import LOGIN, PASSWORD, Browser, actions, code, enrol, latest
from backoffice.lib import clock

pytestmark = pytest.mark.django_db

ASK = reverse("account_reset_password")
CHANGE = reverse("account_change_password")
NEW = "a wholly different password"


@pytest.fixture
def nudged(monkeypatch):
    """What is left to the workers is done at once."""
    monkeypatch.setattr("accounts.login.views.passwords.nudge", lambda task, *args: task(*args))


@pytest.fixture
def told(monkeypatch):
    """Notices of changes are mailed at once."""
    monkeypatch.setattr("accounts.login.notices.nudge", lambda task, *args: task(*args))


def link_in(message):
    return re.search(r"http://testserver(/\S+)", message.body)[1]


def follow(browser, link):
    """The page behind a link in a mail, and its address."""
    response = browser.client.get(link, follow=True, REMOTE_ADDR=browser.ip)
    return response, response.request["PATH_INFO"]


def set_password(browser, link, password=NEW):
    _, path = follow(browser, link)
    return browser.post(path, new_password1=password, new_password2=password)


def test_a_password_is_changed_beside_the_old_one_and_told_of(browser, grace):
    browser.log_in()
    browser.post(CHANGE, old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    grace.refresh_from_db()
    assert grace.check_password(NEW)
    entry = latest("accounts.change_password")
    assert (entry.actor, entry.new_values) == (grace, {"password": "(withheld)"})


@pytest.mark.parametrize(
    "form",
    [
        {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW},
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW + "x"},
        {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"},
        {"old_password": PASSWORD, "new_password1": "a\0" + NEW, "new_password2": "a\0" + NEW},
    ],
)
def test_a_password_that_will_not_do_changes_nothing(browser, grace, form):
    browser.log_in()
    assert browser.post(CHANGE, **form).status_code == 200
    grace.refresh_from_db()
    assert grace.check_password(PASSWORD)
    assert "accounts.change_password" not in actions()


def test_a_forgotten_password_is_set_anew_by_a_mail(browser, grace, nudged):
    old = Browser("192.0.2.2")
    old.log_in()
    browser.post(ASK, email="GRACE@example.com")
    (message,) = mail.outbox
    assert message.to == [grace.email]
    assert set_password(browser, link_in(message))["Location"] == LOGIN
    grace.refresh_from_db()
    assert grace.check_password(NEW)
    assert not old.is_in
    assert {"accounts.ask_password_reset", "accounts.reset_password"} <= set(actions())


def test_a_link_works_once(browser, grace, nudged):
    browser.post(ASK, email=grace.email)
    link = link_in(mail.outbox[0])
    set_password(browser, link)
    page, _ = follow(Browser(), link)
    assert "not valid any more" in page.content.decode()


def test_a_link_lets_nobody_in_and_leaves_the_second_factor(browser, grace, nudged):
    enrol(grace)
    browser.post(ASK, email=grace.email)
    set_password(browser, link_in(mail.outbox[0]))
    assert not browser.is_in
    browser.give_password(password=NEW)
    assert not browser.is_in
    browser.give_code(code())
    assert browser.is_in


def test_whoever_has_the_mailbox_comes_in_while_strangers_guess(browser, grace, nudged):
    for number in range(20):
        Browser(f"192.0.2.{number}").give_password(password="wrong")
    assert browser.give_password().status_code == 429
    browser.post(ASK, email=grace.email)
    set_password(browser, link_in(mail.outbox[0]))
    browser.give_password(password=NEW)
    assert browser.is_in


@pytest.mark.parametrize("state", ["stranger", "customer", "suspended", "no password"])
def test_the_answer_is_the_same_for_whoever_gets_no_mail(browser, grace, nudged, state):
    email = grace.email
    if state == "stranger":
        email = "nobody@example.com"
    elif state == "customer":
        email = User.objects.create_user("ada@example.com", PASSWORD).email
    else:
        User.objects.filter(pk=grace.pk).update(
            **{"suspended": {"status": state}, "no password": {"password": "!x"}}[state]
        )
    assert browser.post(ASK, email=email)["Location"] == reverse("account_reset_password_done")
    assert mail.outbox == []
    assert "accounts.ask_password_reset" not in actions()


def test_a_mailbox_is_not_filled(browser, grace, nudged):
    for _ in range(passwords.MOST_MAILS + 3):
        browser.post(ASK, email=grace.email)
    assert len(mail.outbox) == passwords.MOST_MAILS
    with clock.at(clock.now() + passwords.MAILS_WITHIN):
        browser.post(ASK, email=grace.email)
    assert len(mail.outbox) == passwords.MOST_MAILS + 1


def test_the_owner_is_told_of_what_changed_by_mail(browser, grace, told):
    browser.log_in()
    browser.post(CHANGE, old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    (message,) = mail.outbox
    assert message.to == [grace.email]
    assert "the password was changed, from an unknown browser, 192.0.2.1" in message.body


def test_where_no_mail_is_sent_the_page_says_so(browser, grace, nudged, settings):
    settings.EMAIL_URL = ""
    assert "Ask a super admin" in browser.get(ASK).content.decode()
    browser.post(ASK, email=grace.email)
    assert mail.outbox == []


def test_a_member_who_was_suspended_meanwhile_is_sent_nothing_and_resets_nothing(browser, grace, nudged):
    browser.post(ASK, email=grace.email)
    User.objects.filter(pk=grace.pk).update(status="suspended")
    tasks.mail_reset_link(grace.pk, "http://testserver/")
    assert len(mail.outbox) == 1
    page, _ = follow(browser, link_in(mail.outbox[0]))
    assert "not valid any more" in page.content.decode()


def test_the_token_of_a_customer_without_a_password_resets_nothing(browser):
    customer = User.objects.create_user("ada@example.com")
    User.objects.filter(pk=customer.pk).update(is_staff=True)
    tasks.mail_reset_link(customer.pk, "http://testserver/")
    User.objects.filter(pk=customer.pk).update(is_staff=False)
    page, _ = follow(browser, link_in(mail.outbox[0]))
    assert "not valid any more" in page.content.decode()


def test_a_demoted_members_link_makes_no_way_in(browser, grace, nudged):
    browser.post(ASK, email=grace.email)
    User.objects.filter(pk=grace.pk).update(is_staff=False)
    set_password(browser, link_in(mail.outbox[0]))
    for password in (PASSWORD, NEW):
        browser.give_password(password=password)
        assert not browser.is_in


@pytest.mark.parametrize("email", ["", "x", "a\0b@example.com", "a" * 300 + "@example.com"])
def test_what_is_no_address_is_refused_with_a_word(browser, email):
    response = browser.post(ASK, email=email)
    assert response.status_code == 200
    assert response.context["form"].errors["email"]


def test_a_password_that_changes_between_the_two_steps_of_a_login_ends_it(browser, grace):
    enrol(grace)
    browser.give_password()
    grace.set_password(NEW)
    grace.save()
    page = browser.client.post(reverse("mfa_authenticate"), {"code": code()}, follow=True)
    assert "log in again" in page.content.decode()
    assert not browser.is_in


def test_a_ban_between_the_two_steps_of_a_login_ends_it(browser, grace):
    enrol(grace)
    browser.give_password()
    User.objects.filter(pk=grace.pk).update(status="banned")
    browser.give_code(code())
    assert "accounts.sign_in" not in actions()
    User.objects.filter(pk=grace.pk).update(status="active")
    assert not browser.is_in
