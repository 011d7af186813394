"""The second factor: where it is required, nothing but it opens the admin."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import selectors
from accounts.models import StaffSession
from accounts.tests.login.staff import (
    HOME,
    LOGIN,
    SECOND_FACTOR,
    Browser,
    actions,
    code,
    enrol,
    latest,
    make_member,
    recovery_codes,
)
from tests.factories import StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

ENROL = reverse("mfa_index")
ADD_APP = reverse("mfa_activate_totp")
ADD_PASSKEY = reverse("mfa_add_webauthn")
CODES = reverse("mfa_view_recovery_codes")
SECURITY = reverse("account_security")


def secret_on(page):
    return re.search(r'data-copy="([A-Z2-7]+)"', page.content.decode())[1]


def set_up_app(browser):
    secret = secret_on(browser.get(ADD_APP))
    return browser.post(ADD_APP, code=code(secret=secret))


@pytest.mark.parametrize("path", [HOME, "/admin/accounts/customer/", SECURITY, "/admin/account/sessions/"])
def test_the_password_alone_opens_nothing_but_the_enrolment(required, browser, grace, path):
    browser.log_in()
    response = browser.client.get(path, follow=True)
    assert response.redirect_chain[-1][0] == ENROL
    assert "Set up a second factor" in response.content.decode()


@pytest.mark.parametrize("path", ["/admin/accounts/role/add/", "/admin/password_change/", CODES])
def test_the_password_alone_posts_nothing(required, browser, grace, path):
    browser.log_in()
    assert browser.post(path, name="x")["Location"].startswith(LOGIN)


def test_the_enrolment_opens_the_admin_and_leads_where_one_was_going(required, browser, grace):
    browser.log_in()
    browser.client.get("/admin/accounts/role/", follow=True)
    before = browser.key
    assert set_up_app(browser)["Location"] == CODES
    assert browser.key != before
    assert len(re.findall(r"<code>\d{8}</code>", browser.get(CODES).content.decode())) == 10
    assert browser.post(CODES)["Location"] == "/admin/accounts/role/"
    assert browser.is_in
    assert latest("accounts.add_second_factor").new_values["kind"] == "totp"


def test_a_session_older_than_the_enrolment_opens_nothing(required, browser, grace):
    older = Browser()
    older.log_in()
    enrol(grace)
    # Neither the admin nor the enrolment, by which it would let itself in.
    for path in (HOME, ADD_APP, ADD_PASSKEY, ENROL, CODES):
        assert older.get(path)["Location"].startswith(LOGIN), path
    assert "Log in again" in older.client.get(HOME, follow=True).content.decode()
    older.log_in(text=code())
    assert older.is_in


def test_enrolling_ends_the_sessions_that_never_showed_a_second_factor(browser, grace):
    older = Browser()
    older.log_in()
    assert older.is_in
    browser.log_in()
    set_up_app(browser)
    assert browser.is_in
    assert not older.is_in
    assert "accounts.end_session" in actions()


def test_another_way_to_log_in_opens_nothing(required, client, grace):
    enrol(grace)
    client.force_login(grace)
    assert client.get(HOME)["Location"].startswith(LOGIN)
    assert client.get(LOGIN).status_code == 200
    assert "_auth_user_id" not in client.session


def test_somebody_elses_second_factor_opens_nothing(required, browser, grace):
    linus = make_member("linus@example.com")
    enrol(linus)
    browser.log_in("linus@example.com", code())
    assert browser.is_in
    session = browser.client.session
    session["_auth_user_id"] = str(grace.pk)
    session["_auth_user_hash"] = grace.get_session_auth_hash()
    session.save()
    assert not browser.is_in


def test_whoever_has_a_second_factor_is_asked_for_it_where_it_is_not_required_too(browser, grace):
    enrol(grace)
    assert browser.log_in()["Location"] == SECOND_FACTOR
    assert not browser.is_in
    browser.give_code(code())
    assert browser.is_in
    assert latest("accounts.sign_in").new_values["second_factor"] == "totp"


def test_one_code_works_once(browser, grace):
    enrol(grace)
    text = code()
    browser.log_in(text=text)
    again = Browser()
    assert "used before" in again.log_in(text=text).content.decode()
    assert not again.is_in
    assert latest("accounts.sign_in_failed").new_values == {"step": "second factor"}


def test_a_code_before_one_that_was_used_works_no_more(browser, grace):
    enrol(grace)
    browser.log_in(text=code(1))
    again = Browser()
    again.log_in(text=code(0))
    assert not again.is_in


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_a_step_off(browser, grace, steps, is_right):
    enrol(grace)
    browser.log_in(text=code(steps))
    assert browser.is_in is is_right


@pytest.mark.parametrize("text", ["", "000", "abcdef", "１２３４５６", "9" * 40, "0" * 5000, "a\0b"])
def test_what_is_no_code_is_refused(browser, grace, text):
    enrol(grace)
    assert browser.log_in(text=text or " ").status_code == 200
    assert not browser.is_in


def test_the_code_of_the_enrolment_is_used_up(browser, grace):
    browser.log_in()
    secret = secret_on(browser.get(ADD_APP))
    text = code(secret=secret)
    browser.post(ADD_APP, code=text)
    again = Browser()
    again.log_in(text=text)
    assert not again.is_in


def test_a_wrong_code_enrols_nobody_and_keeps_the_secret(browser, grace):
    browser.log_in()
    secret = secret_on(browser.get(ADD_APP))
    answer = browser.post(ADD_APP, code="000000")
    assert secret_on(answer) == secret
    assert not Authenticator.objects.exists()


def test_a_recovery_code_works_once(browser, grace):
    enrol(grace)
    text = recovery_codes(grace)[3]
    browser.log_in(text=text)
    assert browser.is_in
    again = Browser()
    again.log_in(text=text)
    assert not again.is_in
    assert len(recovery_codes(grace)) == 9


def test_new_recovery_codes_end_the_old_ones(browser, grace):
    enrol(grace)
    old = recovery_codes(grace)
    browser.log_in(text=code())
    assert browser.post(reverse("mfa_generate_recovery_codes"))["Location"] == CODES
    assert not set(old) & set(recovery_codes(grace))
    assert "accounts.make_recovery_codes" in actions()
    downloaded = browser.get(reverse("mfa_download_recovery_codes"))
    assert all(text in downloaded.content.decode() for text in recovery_codes(grace))
    assert "no-store" in downloaded["Cache-Control"]


def test_recovery_codes_come_with_a_second_factor(browser, grace):
    browser.log_in()
    for path in (CODES, reverse("mfa_download_recovery_codes"), reverse("mfa_generate_recovery_codes")):
        assert browser.get(path).status_code == 404


def test_the_last_second_factor_stays_where_one_is_required(required, browser, grace):
    app = enrol(grace)
    browser.log_in(text=code())
    page = browser.client.post(reverse("mfa_remove_factor", args=[app.pk]), follow=True)
    assert "add another one before you remove this" in page.content.decode()
    assert selectors.has_second_factor(grace)


def test_a_second_factor_is_removed_with_its_recovery_codes(browser, grace):
    app = enrol(grace)
    browser.log_in(text=code())
    browser.post(reverse("mfa_remove_factor", args=[app.pk]))
    assert not Authenticator.objects.exists()
    assert latest("accounts.remove_second_factor").old_values == {"kind": "totp", "factor": app.pk}


def test_nobody_removes_somebody_elses(browser, grace):
    app = enrol(make_member("linus@example.com"))
    browser.log_in()
    assert browser.post(reverse("mfa_remove_factor", args=[app.pk])).status_code == 404
    assert Authenticator.objects.filter(pk=app.pk).exists()


NONSENSE = (
    *("", "{}", "[]", "null", "7", '"x"', "{", '{"id": 1}', '{"id": "\\u0000"}', '{"rawId": "!", "response": []}'),
    '{"id": "AA", "rawId": "AA", "type": "public-key",'
    ' "response": {"clientDataJSON": "AA", "attestationObject": "AA", "authenticatorData": "AA", "signature": "AA"}}',
    *("[" * 20_000, '{"id": "' + "A" * 30_000 + '"}'),
)


@pytest.mark.parametrize("credential", NONSENSE)
def test_an_answer_for_a_passkey_that_no_browser_gives_is_refused(browser, grace, credential):
    browser.log_in()
    browser.get(ADD_PASSKEY)
    assert browser.post(ADD_PASSKEY, name="Key", credential=credential).status_code == 200
    assert not Authenticator.objects.exists()
    enrol(grace)
    other = Browser()
    other.log_in()
    assert other.post(SECOND_FACTOR, credential=credential).status_code == 200
    assert not other.is_in


def test_secrets_are_not_in_the_database_as_they_are(browser, grace):
    browser.log_in()
    secret = secret_on(browser.get(ADD_APP))
    browser.post(ADD_APP, code=code(secret=secret))
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not any(text in kept for text in recovery_codes(grace))


def test_under_another_secret_key_no_code_works_and_nothing_breaks(browser, grace, settings):
    enrol(grace)
    old = recovery_codes(grace)
    settings.SECRET_KEY = "another"
    for text in (code(), old[0], "e3b0c442"):
        assert Browser().log_in(text=text).status_code == 200
    other = StaffFactory(is_superuser=True)
    Authenticator.objects.filter(user=grace).update(user=other)
    browser.client.force_login(other)
    assert browser.get(SECURITY).status_code == 200
    assert browser.get(CODES).status_code == 200


def test_a_super_admin_resets_a_colleagues_second_factor(browser, grace):
    linus = make_member("linus@example.com")
    enrol(linus)
    theirs = Browser()
    theirs.log_in("linus@example.com", code())
    browser.log_in()
    page = reverse("admin:accounts_staffmember_reset_second_factor", args=[linus.pk])
    assert (
        "Reset second factor"
        in browser.get(reverse("admin:accounts_staffmember_change", args=[linus.pk])).content.decode()
    )
    token = re.search(r'name="token" value="([^"]+)"', browser.get(page).content.decode())[1]
    browser.post(page, token=token, reason="They called from their desk")
    assert theirs.is_in
    browser.post(page, token=token, reason="They called from their desk", confirm="yes")
    assert not theirs.is_in
    assert not Authenticator.objects.exists()
    entry = latest("accounts.reset_second_factor")
    assert (entry.actor, entry.resource_id, entry.reason) == (grace, str(linus.pk), "They called from their desk")
    assert entry.old_values == {"kinds": ["recovery_codes", "totp"]}


@pytest.mark.parametrize("page", ["reset_second_factor", "sessions"])
def test_nobody_but_a_super_admin_reaches_a_colleagues_login(browser, grace, page):
    make_member("linus@example.com", is_superuser=False)
    support = StaffFactory(permissions=["accounts.change_staffmember", "accounts.view_staffmember"])
    address = reverse(f"admin:accounts_staffmember_{page}", args=[grace.pk])
    browser.client.force_login(support)
    assert browser.get(address).status_code == browser.post(address, reason="x").status_code == 403
    browser.client.force_login(grace)
    assert browser.get(address).status_code == 404  # Their own is on their own pages.


def test_the_shell_helps_the_super_admin_who_lost_everything(grace, capsys):
    enrol(grace)
    call_command("reset_second_factor", "GRACE@example.com")
    assert capsys.readouterr().out.startswith("ok: 2 factors")
    assert not Authenticator.objects.exists()
    with pytest.raises(CommandError, match="no member of staff"):
        call_command("reset_second_factor", "nobody@example.com")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_code_lets_one_in():
    grace = make_member()
    enrol(grace)
    text = code()
    browsers = [Browser(f"192.0.2.{n}") for n in range(6)]
    for browser in browsers:
        browser.give_password()
    answers = at_once([lambda browser=browser: browser.give_code(text).status_code for browser in browsers])
    assert sorted(answers) == [200] * 5 + [302]
    assert StaffSession.objects.filter(user=grace).count() == 1
    assert not Session.objects.exists()
