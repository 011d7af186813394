"""Each act of the ledger is in the demo company, so that none of its pages is empty."""

from datetime import UTC, datetime

import pytest
from django.db.models import F

from audit.models import AuditEntry
from backoffice.demo import jobs, subscriptions
from backoffice.demo.period import DAY
from credits.models import CreditAccount, CreditDebt, CreditHold, CreditTransaction, IntegrityRun

END = datetime(2026, 3, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def company(seed_once):
    with pytest.MonkeyPatch.context() as patch:
        # What is rare among hundreds of customers happens to a few dozen too.
        patch.setattr(jobs, "FAILS", 0.03)
        patch.setattr(jobs, "DISAPPOINTS", 0.02)
        patch.setattr(jobs, "ENDS", dict.fromkeys(jobs.ENDS, 1))
        patch.setattr(jobs, "RESERVES_FOR", 60 * DAY)
        patch.setattr(subscriptions, "UPGRADES", 0.7)
        seed_once("--users", "70", "--days", "60", "--until", "2026-03-01")


def entries(*kinds: str):
    return CreditTransaction.objects.filter(kind__in=kinds)


def test_plans_grant_an_allowance_that_is_renewed_upgraded_and_lapses():
    allowed = CreditAccount.objects.filter(monthly_allowance__gt=0)
    assert allowed
    grants = entries("allowance").values_list("account", "metadata__period_start", "description")
    assert len(set(grants)) == len(grants)
    assert len({start for _, start, _ in grants}) > 1
    assert {description for *_, description in grants} == {"Monthly allowance", "Larger monthly allowance"}
    assert entries("expiry").filter(draws__lot__source_kind="allowance")


def test_holds_ended_in_every_way_and_some_are_open():
    holds = CreditHold.objects.all()
    assert set(holds.values_list("state", flat=True)) == {"open", "captured", "released", "expired"}
    assert holds.filter(state="captured", captured=F("amount"))
    assert holds.filter(state="captured", captured__lt=F("amount"))
    assert not holds.filter(state="open", expires_at__lt=END)


def test_usage_is_refunded_in_whole_and_in_part_by_the_product_and_by_staff():
    refunds = entries("refund")
    assert refunds.filter(amount=-F("reverses__amount"), actor=None)
    assert refunds.filter(amount__lt=-F("reverses__amount"))
    by_staff = refunds.filter(actor__isnull=False)
    assert by_staff
    audited = AuditEntry.objects.filter(action="credits.refund")
    assert {entry.new_values["transaction"] for entry in audited} == set(by_staff.values_list("pk", flat=True))
    assert all(entry.actor and entry.reason for entry in audited)


def test_purchases_are_taken_back_one_leaves_a_debt_and_one_dispute_is_won():
    assert entries("reversal")
    given_back = entries("reinstatement")
    assert {entry.reverses.kind for entry in given_back} == {"chargeback", "reversal"}
    assert CreditDebt.objects.filter(remaining__gt=0, transaction__kind="chargeback")
    assert CreditAccount.objects.filter(balance__lt=0)


def test_signup_credits_are_a_bonus_and_a_gift_of_staff_was_taken_back():
    assert set(entries("bonus").values_list("description", flat=True)) == {"Signup credits"}
    assert not entries("gift").filter(actor=None)
    reversal = entries("adjustment").get(reverses__isnull=False)
    assert reversal.reverses.kind == "gift"
    assert AuditEntry.objects.get(action="credits.reverse").reason


def test_the_ledger_was_proven_once_when_the_story_ended():
    run = IntegrityRun.objects.get()
    assert (run.source, run.faults, run.accounts) == ("command", 0, CreditAccount.objects.count())
    assert run.started_at.date() == datetime(2026, 2, 28, tzinfo=UTC).date()
