"""Guessing is limited, and nobody can shut out others by guessing."""

import re

import pytest
from axes.models import AccessAttempt
from django.urls import reverse

from accounts.login import guard
from accounts.tests.login.staff import LOGIN, STEP_UP, Browser, actions, code, enrol, latest, make_member
from tests.threads import at_once

pytestmark = pytest.mark.django_db

LIMITS = guard.BY_ACCOUNT_AND_ADDRESS, guard.BY_ADDRESS, guard.BY_ACCOUNT, guard.BY_DEVICE


@pytest.fixture
def known(grace):
    """A browser that Grace has logged in with before."""
    browser = Browser("203.0.113.9")
    browser.log_in()
    browser.post(reverse("admin:logout"))
    return browser


def guess(address, email="grace@example.com", times=1):
    """So many wrong passwords from a browser that is new each time; the last answer."""
    for _ in range(times):
        response = Browser(address).give_password(email, "wrong")
    return response


def test_an_address_that_guesses_at_an_account_is_turned_away_with_the_right_password_too(grace):
    pair = guard.BY_ACCOUNT_AND_ADDRESS
    answers = [guess("192.0.2.1").status_code for _ in range(pair)]
    assert answers == [200] * (pair - 1) + [429]
    there, elsewhere = Browser("192.0.2.1"), Browser("192.0.2.2")
    assert there.give_password().status_code == 429
    assert not there.is_in
    elsewhere.give_password()
    assert elsewhere.is_in


def test_many_addresses_that_guess_at_one_account_are_limited_together(grace):
    answers = [guess(f"192.0.2.{number}").status_code for number in range(guard.BY_ACCOUNT + 5)]
    assert answers.count(200) == guard.BY_ACCOUNT - 1
    assert set(answers[guard.BY_ACCOUNT :]) == {429}
    # The right password is no better than a guess, from an address that was never seen.
    stranger = Browser("198.51.100.7")
    assert stranger.give_password().status_code == 429
    assert not stranger.is_in


def test_whose_account_is_under_attack_comes_in_by_a_browser_that_is_known(grace, known):
    for number in range(guard.BY_ACCOUNT + 1):
        guess(f"192.0.2.{number}")
    known.ip = "198.51.100.8"
    known.give_password()
    assert known.is_in


def test_one_attacker_cannot_shut_the_staff_out():
    emails = [f"member{number}@example.com" for number in range(8)]
    colleagues = []
    for number, email in enumerate(emails):
        make_member(email)
        at_home = Browser(f"203.0.113.{number}")
        at_home.log_in(email)
        at_home.post(reverse("admin:logout"))
        colleagues.append(at_home)
    # As many as it takes to shut the address, and each account for that address.
    for _ in range(guard.BY_ACCOUNT):
        for email in emails:
            guess("192.0.2.66", email)
    for email, at_home in zip(emails, colleagues, strict=True):
        # Also from where the attacker is: the same office, the same way out.
        at_home.ip = "192.0.2.66"
        at_home.give_password(email)
        assert at_home.is_in
    # And by a new browser elsewhere: one address alone does not use up what an account has for strangers.
    new = Browser("198.51.100.9")
    new.give_password(emails[0])
    assert new.is_in


def test_an_address_that_guesses_at_many_accounts_is_turned_away(grace):
    for number in range(guard.BY_ADDRESS):
        guess("192.0.2.1", f"nobody{number}@example.com")
    assert Browser("192.0.2.1").give_password().status_code == 429


def test_a_network_of_version_6_counts_as_one_address(grace):
    for number in range(guard.BY_ACCOUNT_AND_ADDRESS):
        guess(f"2001:db8::{number:x}")
    assert Browser("2001:db8::ffff").give_password().status_code == 429
    elsewhere = Browser("2001:db8:0:1::1")
    elsewhere.give_password()
    assert elsewhere.is_in


def test_a_claim_of_another_address_does_not_help(grace):
    for number in range(guard.BY_ACCOUNT_AND_ADDRESS + 1):
        form = {"username": grace.email, "password": "wrong"}
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        response = Browser().client.post(LOGIN, form, REMOTE_ADDR="192.0.2.1", headers=headers)
    assert response.status_code == 429


def test_the_case_of_the_address_makes_no_other_account(grace):
    for email in [
        "grace@example.com",
        "GRACE@example.com",
        "Grace@Example.Com",
        "gRACE@example.com",
        " grace@example.com",
    ]:
        guess("192.0.2.1", email)
    assert Browser("192.0.2.1").give_password().status_code == 429


def test_a_known_browser_that_guesses_is_turned_away_and_nobody_else(grace, known):
    for _ in range(guard.BY_DEVICE):
        response = known.give_password(password="wrong")
    assert response.status_code == 429
    assert known.give_password().status_code == 429
    elsewhere = Browser("203.0.113.9")
    elsewhere.give_password()
    assert elsewhere.is_in


def test_a_browser_is_known_for_its_own_people_only(grace, known, settings):
    linus = make_member("linus@example.com")
    guess("203.0.113.9", linus.email, guard.BY_ACCOUNT_AND_ADDRESS)
    assert known.give_password(linus.email).status_code == 429
    # Nor is a cookie of one's own making worth anything.
    forger = Browser("203.0.113.9")
    forger.client.cookies[settings.DEVICE_COOKIE_NAME] = known.client.cookies[settings.DEVICE_COOKIE_NAME].value + "x"
    assert forger.give_password(linus.email).status_code == 429


def test_the_door_opens_again_by_itself(grace, settings):
    guess("192.0.2.1", times=guard.BY_ACCOUNT_AND_ADDRESS)
    # What is tried at a shut door keeps it shut no longer.
    guess("192.0.2.1", times=3)
    attempt = AccessAttempt.objects.get()
    assert attempt.failures_since_start == guard.BY_ACCOUNT_AND_ADDRESS
    AccessAttempt.objects.update(attempt_time=attempt.attempt_time - settings.AXES_COOLOFF_TIME)
    back = Browser("192.0.2.1")
    back.give_password()
    assert back.is_in


def test_the_page_at_a_shut_door_says_what_to_do(grace):
    response = guess("192.0.2.1", times=guard.BY_ACCOUNT_AND_ADDRESS)
    page = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (429, "1800")
    assert "30 minutes" in page
    assert reverse("account_reset_password") in page
    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=", page)


def test_a_shut_door_is_told_of_once(grace):
    guess("192.0.2.1", times=guard.BY_ACCOUNT_AND_ADDRESS + 4)
    assert actions().count("accounts.sign_in_failed") == guard.BY_ACCOUNT_AND_ADDRESS
    assert actions().count("accounts.lock_out") == 1
    assert latest("accounts.lock_out").resource_id == str(grace.pk)


def test_second_factors_are_guessed_at_no_more_often_whatever_the_address(grace):
    enrol(grace)
    answers = []
    for number in range(guard.BY_ACCOUNT + 2):
        thief = Browser(f"192.0.2.{number}")
        thief.give_password()
        answers.append(thief.give_code("000000").status_code)
    assert answers.count(200) <= guard.BY_ACCOUNT - 1
    assert answers[-1] == 429
    right = Browser("198.51.100.1")
    right.give_password()
    assert right.give_code(code()).status_code == 429
    assert not right.is_in


def test_who_guesses_at_the_second_factor_does_not_shut_out_its_owner(grace):
    enrol(grace)
    known = Browser("203.0.113.9")
    known.log_in(text=code(-1))
    known.post(reverse("admin:logout"))
    for number in range(guard.BY_ACCOUNT + 1):
        thief = Browser(f"192.0.2.{number}")
        thief.give_password()
        thief.give_code("000000")
    known.log_in(text=code())
    assert known.is_in


def test_a_second_factor_that_fails_does_not_use_up_the_passwords(grace):
    enrol(grace)
    browser = Browser()
    browser.give_password()
    for _ in range(guard.BY_ACCOUNT_AND_ADDRESS):
        browser.give_code("000000")
    assert Browser().give_password().status_code == 302


def test_a_stolen_session_does_not_guess_the_password_either(grace, settings):
    browser = Browser()
    browser.client.force_login(grace)
    answers = [browser.post(STEP_UP, password="wrong", next="/admin/").status_code for _ in range(6)]
    assert answers == [200] * 4 + [429] * 2
    assert actions().count("accounts.step_up_failed") == 5
    change = reverse("account_change_password")
    form = {"old_password": "wrong", "new_password1": "another good password", "new_password2": "another good password"}
    assert browser.post(change, **form).status_code == 429


def test_passwords_that_were_tried_are_kept_nowhere(grace):
    guess("192.0.2.1", times=2)
    kept = AccessAttempt.objects.values().get()
    assert "wrong" not in str(kept)
    assert grace.email not in kept["post_data"]


def test_without_an_address_an_account_is_still_counted(grace):
    answers = [guess("").status_code for _ in range(guard.BY_ACCOUNT)]
    assert answers[-2:] == [200, 429]


def test_a_nul_in_a_header_breaks_nothing(grace):
    browser = Browser()
    browser.client.defaults |= {"HTTP_USER_AGENT": "a\0b", "HTTP_ACCEPT": "a\0b"}
    assert browser.give_password(password="wrong").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_each_is_counted_and_the_door_is_shut_then():
    make_member()
    answers = at_once([lambda: guess("192.0.2.1").status_code] * 20)
    tried = AccessAttempt.objects.get().failures_since_start
    assert set(answers) == {200, 429}
    assert tried >= guard.BY_ACCOUNT_AND_ADDRESS
    assert actions().count("accounts.sign_in_failed") == tried
    assert Browser("192.0.2.1").give_password().status_code == 429
