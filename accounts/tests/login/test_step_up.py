"""Acts that would hurt most in a stranger's hands ask anew who is there."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import ApiKey
from accounts.tests.login.staff import PASSWORD, STEP_UP, Browser, actions, code, enrol, latest, make_member
from backoffice.lib import clock
from credits import services
from credits.models import CreditTransaction
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

ROLE = {"name": "Painters"}
ADD_ROLE = reverse("admin:accounts_role_add")
AUDIT = reverse("admin:audit_auditentry_changelist")
EXPORT = reverse("admin:audit_auditentry_export", args=["audit"])


@pytest.fixture
def stale(browser, grace):
    """Somebody whose login was ten minutes ago."""
    with clock.at(clock.now() - timedelta(minutes=10)):
        browser.client.force_login(grace)
    assert browser.is_in
    return browser


@pytest.fixture
def refund(db):
    customer = CustomerFactory()
    services.gift_credits(
        user_id=customer.pk,
        amount=Decimal(50),
        reason="x",
        actor=make_member("x@example.com"),
        idempotency_key="test:g",
    )
    services.charge_credits(user_id=customer.pk, amount=Decimal(20), idempotency_key="test:c")
    usage = CreditTransaction.objects.get(kind="usage")
    return reverse("admin:credits_refund", args=[usage.pk])


def prove(browser, asked, **proof):
    """Answer the page that ``asked`` leads to; what comes then."""
    url = asked["Location"]
    assert url.startswith(STEP_UP)
    page = browser.client.get(url).content.decode()
    back = re.search(r'name="next" value="([^"]*)"', page)[1].replace("&amp;", "&")
    return browser.post(STEP_UP, next=back, **(proof or {"password": PASSWORD}))


def resume(browser, response):
    """Press the button that sends the form which was kept."""
    html = response.content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    return browser.post(re.search(r'<form method="post" action="([^"]+)"', html)[1], **fields)


def test_a_refund_asks_before_it_shows_its_form(stale, refund):
    asked = stale.get(refund)
    back = prove(stale, asked)
    assert back["Location"] == refund
    assert stale.get(refund).status_code == 200
    assert latest("accounts.step_up").new_values == {"method": "password"}


def test_a_form_that_was_sent_too_late_is_still_there_after_the_proof(stale, refund):
    token = "6f1d4f2e-9a3b-4c57-8d21-0e5a7b9c1d3f"
    form = {"token": token, "amount": "5", "reason": "Seven fingers", "confirm": "yes"}
    shown = prove(stale, stale.post(refund, **form))
    assert "Nothing was done with it yet" in shown.content.decode()
    assert not CreditTransaction.objects.filter(kind="refund").exists()
    assert resume(stale, shown).status_code == 302
    entry = CreditTransaction.objects.get(kind="refund")
    assert (entry.amount, entry.description) == (5, "Seven fingers")


@pytest.mark.parametrize("address", ["add", "change", "delete"])
def test_roles_change_only_under_a_fresh_proof(stale, address):
    role = Group.objects.create(name="Sculptors")
    args = [] if address == "add" else [role.pk]
    path = reverse(f"admin:accounts_role_{address}", args=args)
    asked = stale.post(path, **ROLE, post="yes")
    assert asked["Location"].startswith(STEP_UP)
    assert list(Group.objects.filter(name__in=["Painters", "Sculptors"])) == [role]
    assert resume(stale, prove(stale, asked)).status_code == 302
    names = {"add": {"Painters", "Sculptors"}, "change": {"Painters"}, "delete": set()}[address]
    assert set(Group.objects.filter(name__in=["Painters", "Sculptors"]).values_list("name", flat=True)) == names


def test_roles_and_rights_of_a_colleague_change_only_under_a_fresh_proof(stale):
    linus = make_member("linus@example.com", is_superuser=False)
    path = reverse("admin:accounts_staffmember_change", args=[linus.pk])
    assert stale.get(path).status_code == 200  # Looking is free.
    form = {"email": linus.email, "status": "active", "is_superuser": "on"}
    asked = stale.post(path, **form)
    linus.refresh_from_db()
    assert not linus.is_superuser
    resume(stale, prove(stale, asked))
    linus.refresh_from_db()
    assert linus.is_superuser


def test_a_password_in_a_form_is_not_kept_while_the_proof_is_asked_for(stale):
    linus = make_member("linus@example.com")
    path = reverse("admin:auth_user_password_change", args=[linus.pk])
    asked = stale.post(path, usable_password="true", password1="secret of linus", password2="secret of linus")
    assert "secret of linus" not in str(dict(stale.client.session))
    assert prove(stale, asked)["Location"] == path


def test_a_key_of_the_api_which_outlives_the_session_is_made_only_under_a_fresh_proof(stale):
    path = reverse("admin:accounts_apikey_add")
    assert stale.get(path)["Location"].startswith(STEP_UP)
    resume(stale, prove(stale, stale.post(path, name="shop", scopes="ingest")))
    assert ApiKey.objects.get().name == "shop"


def test_an_export_of_the_audit_log_asks_and_leads_back_to_the_list_as_it_was_narrowed(stale):
    narrowed = f"{AUDIT}?action=credits.gift"
    asked = stale.client.post(f"{EXPORT}?action=credits.gift")
    assert prove(stale, asked)["Location"] == narrowed
    assert "audit.export" not in actions()
    assert stale.client.post(EXPORT).streaming
    assert stale.client.post(reverse("admin:accounts_customer_export", args=["users"])).streaming


@pytest.mark.parametrize("path", ["mfa_activate_totp", "mfa_add_webauthn"])
def test_a_second_factor_is_set_up_only_under_a_fresh_proof(stale, path):
    assert stale.get(reverse(path))["Location"].startswith(STEP_UP)
    assert stale.post(reverse(path), code="x")["Location"].startswith(STEP_UP)


@pytest.mark.parametrize(
    "path", ["mfa_view_recovery_codes", "mfa_download_recovery_codes", "mfa_generate_recovery_codes"]
)
def test_recovery_codes_are_shown_only_under_a_fresh_proof(stale, grace, path):
    enrol(grace)
    assert stale.get(reverse(path))["Location"].startswith(STEP_UP)


def test_whoever_has_a_second_factor_is_asked_for_that_and_not_for_the_password(stale, grace, refund):
    enrol(grace)
    asked = stale.get(refund)
    assert 'name="password"' not in stale.client.get(asked["Location"]).content.decode()
    stale.post(STEP_UP, password=PASSWORD, next=refund)
    assert stale.get(refund)["Location"].startswith(STEP_UP)
    assert prove(stale, asked, code=code())["Location"] == refund
    assert stale.get(refund).status_code == 200
    assert latest("accounts.step_up").new_values == {"method": "code"}


def test_a_wrong_proof_opens_nothing_and_is_told_of(stale, grace, refund):
    assert stale.post(STEP_UP, password="wrong", next=refund).status_code == 200
    assert stale.get(refund)["Location"].startswith(STEP_UP)
    entry = latest("accounts.step_up_failed")
    assert (entry.actor, entry.new_values) == (grace, {"step": "password"})


def test_a_code_that_logged_somebody_in_proves_nothing_again(browser, grace, refund):
    enrol(grace)
    text = code()
    browser.log_in(text=text)
    with clock.at(clock.now() + timedelta(seconds=20)):
        browser.post(STEP_UP, code=text, next=refund)
    assert "accounts.step_up" not in actions()


def test_a_proof_holds_for_five_minutes(stale, refund):
    prove(stale, stale.get(refund))
    with clock.at(clock.now() + timedelta(minutes=4, seconds=50)):
        assert stale.get(refund).status_code == 200
    with clock.at(clock.now() + timedelta(minutes=5, seconds=5)):
        assert stale.get(refund)["Location"].startswith(STEP_UP)


def test_a_login_is_a_proof_too(browser, grace, refund):
    browser.log_in()
    assert browser.get(refund).status_code == 200
    with clock.at(clock.now() + timedelta(minutes=5, seconds=5)):
        assert browser.get(refund)["Location"].startswith(STEP_UP)


def test_a_proof_is_one_sessions_own(stale, grace, refund):
    other = Browser("192.0.2.2")
    other.log_in()
    assert other.get(refund).status_code == 200
    assert stale.get(refund)["Location"].startswith(STEP_UP)


def test_whoever_may_not_do_it_is_not_asked_first(stale, grace, refund):
    grace.is_superuser = False
    grace.save(update_fields=["is_superuser"])
    assert stale.get(refund).status_code == 403
    assert stale.post(ADD_ROLE, **ROLE).status_code == 403
    assert stale.client.post(EXPORT).status_code == 403


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "a\0b"])
def test_a_proof_leads_nowhere_else(stale, url):
    assert stale.post(STEP_UP, password=PASSWORD, next=url)["Location"] == "/admin/"


def test_a_form_that_waits_is_sent_nowhere_but_to_its_own_address(stale, refund):
    stale.post(refund, amount="5")
    assert stale.post(STEP_UP, password=PASSWORD, next="/admin/accounts/role/")["Location"] == "/admin/accounts/role/"
    assert "step_up_form" not in stale.client.session


def test_what_was_typed_comes_back_escaped(stale, refund):
    shown = prove(stale, stale.post(refund, reason='"><script>alert(1)</script>'))
    assert "<script>alert(1)" not in shown.content.decode()
