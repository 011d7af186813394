"""What stands in a demo company: everything that its story tells, and somebody for each part."""

from datetime import date

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models.functions import Coalesce

from accounts.models import ActivityEvent, Customer, StaffMember, Status
from audit.models import AuditEntry
from backoffice.default_roles import DEFAULT_ROLES
from backoffice.demo.acts import Capture, Spend
from backoffice.demo.period import Period
from backoffice.demo.story import tell
from billing.models import Payment, StripeEvent
from credits.models import CreditTransaction

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def said(seed_once):
    return seed_once("--users", "20", "--days", "30", "--until", "2026-03-01")


def test_says_what_it_made(said):
    assert "ok: 20 customers over 30 days from seed 1" in said
    assert "0 spends refused" in said


def test_every_spend_of_the_story_is_in_the_ledger():
    story = tell(users=20, seed=1, period=Period(date(2026, 3, 1), 30))
    told = {(act.reference, act.at, -act.credits) for act in story.acts if isinstance(act, Spend | Capture)}
    reference = Coalesce("hold__reference", "reference")
    assert set(CreditTransaction.objects.filter(kind="usage").values_list(reference, "event_at", "amount")) == told


def test_payments_ledger_and_activity_agree():
    bought = set(CreditTransaction.objects.filter(kind="purchase").values_list("reference", "amount"))
    # What pays an invoice buys none, and neither does what was declined.
    paid = set(Payment.objects.filter(credits_purchased__gt=0).values_list("stripe_payment_id", "credits_purchased"))
    acts = {event.details["payment"] for event in ActivityEvent.objects.filter(action="purchase")}
    assert bought
    assert bought == paid
    assert acts >= {payment for payment, _ in paid}


def test_the_inbox_has_events_of_every_fate_and_none_that_is_tried_again():
    states = set(StripeEvent.objects.values_list("state", flat=True))
    assert states == {"processed", "ignored", "parked", "failed"}


def test_acts_of_staff_are_in_the_audit_log_with_actor_and_reason():
    verbs = {"credits.gift", "credits.adjust", "accounts.ban_user", "accounts.suspend_user"}
    acts = AuditEntry.objects.filter(action__in=verbs)
    assert {act.action for act in acts} == verbs
    assert all(act.actor and act.reason for act in acts)
    assert set(Customer.objects.values_list("status", flat=True)) == set(Status.values)


def test_the_admin_logs_in_with_the_password_kept_in_the_data_directory():
    password = (settings.DATA_DIR / "secrets" / "demo-password").read_text().strip()
    assert authenticate(username="admin@example.com", password=password).is_superuser
    assert authenticate(username="maya.lindqvist@example.com", password=password).get_full_name() == "Maya Lindqvist"
    assert all(member.check_password(password) for member in StaffMember.objects.all())


def test_there_is_a_member_of_staff_for_every_default_role():
    members = StaffMember.objects.filter(groups__isnull=False)
    assert set(members.values_list("groups__name", flat=True)) == set(DEFAULT_ROLES)
