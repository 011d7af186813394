"""What Stripe told of a demo company: every kind of thing that the pages of billing show, in every state."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.models import AuditEntry
from backoffice.demo import subscriptions
from backoffice.lib.periods import Period
from billing import selectors
from billing.models import (
    CreditPack,
    Dispute,
    ExchangeRate,
    Invoice,
    Payment,
    Plan,
    PlanPrice,
    Refund,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)

END = datetime(2026, 3, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def company(seed_once):
    with pytest.MonkeyPatch.context() as patch:
        # What is rare among hundreds of customers happens to a few dozen too.
        patch.setattr(subscriptions, "UPGRADES", 0.5)
        patch.setattr(subscriptions, "DISCOUNTS", 0.4)
        patch.setattr(subscriptions, "LEAVES", 0.3)
        patch.setattr(subscriptions, "DOWNGRADES", 0.3)
        seed_once("--users", "70", "--days", "120", "--until", "2026-03-01")


def test_plans_are_for_sale_by_the_month_and_by_the_year_in_two_currencies():
    assert set(Plan.objects.filter(is_active=True).values_list("key", flat=True)) == {"starter", "pro", "studio"}
    terms = set(PlanPrice.objects.values_list("currency", "interval"))
    assert terms == {(currency, interval) for currency in ("USD", "EUR") for interval in ("month", "year")}


def test_what_is_for_sale_was_told_by_stripe_and_put_on_sale_by_staff():
    sold = [*Plan.objects.all(), *CreditPack.objects.all()]
    assert all(each.as_of and each.is_active for each in sold)
    assert not PlanPrice.objects.filter(as_of=None)
    changes = AuditEntry.objects.filter(action="record.change", new_values__is_active=True)
    assert {change.resource_type for change in changes} == {"billing.plan", "billing.creditpack"}
    assert changes.count() == len(sold)


def test_subscriptions_are_in_every_state_that_staff_meet():
    found = Subscription.objects.filter(plan__isnull=False)
    assert found.count() == Subscription.objects.count()
    assert set(found.values_list("status", flat=True)) == {"active", "trialing", "past_due", "canceled"}
    assert selectors.leaving(found)
    assert found.exclude(discounts=[])
    assert {each.user.plan for each in found.filter(status="active")} <= {"starter", "pro", "studio"}


def test_what_is_earned_every_month_has_moved_in_every_way_and_adds_up():
    assert SubscriptionChange.objects.filter(mrr_minor_before__gt=0, mrr_minor_after=0)
    assert selectors.mrr_at(END)["USD"] > 0
    assert sum(selectors.mrr_at(END).values()) == sum(Subscription.objects.values_list("mrr_minor", flat=True))


def test_invoices_are_paid_by_payments_and_one_is_open():
    assert set(Invoice.objects.values_list("status", flat=True)) >= {"paid", "open"}
    paying = Payment.objects.exclude(stripe_invoice_id="")
    assert paying.count() == Invoice.objects.filter(amount_paid_minor__gt=0).count()
    assert not paying.filter(credits_purchased__gt=0)


def test_payments_have_fees_and_some_were_declined_given_back_or_disputed():
    assert not Payment.objects.filter(status="succeeded", fee_minor=None)
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded", "failed"}
    assert set(Dispute.objects.values_list("status", flat=True)) == {"needs_response", "won", "lost"}
    assert Dispute.objects.filter(status="needs_response", evidence_due_at__gt=END)


def test_other_currencies_have_rates_for_every_day_on_which_somebody_paid():
    days = selectors.revenue_by_day(Period(END - timedelta(days=120), END))
    assert {each.revenue.currency for each in days} > {"USD"}
    assert selectors.in_reporting_currency(days).unconverted == []
    assert set(ExchangeRate.objects.values_list("base", flat=True)) == {"EUR", "JPY"}


def test_only_payments_that_are_unclear_wait_for_somebody():
    waiting = StripeEvent.objects.exclude(state__in=["processed", "ignored"])
    assert set(waiting.values_list("state", "type")) == {("parked", "payment_intent.succeeded")}
