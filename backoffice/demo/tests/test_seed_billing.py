"""What Stripe told of a demo company: every kind of thing that the pages of billing show, in every state."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F, Q

from accounts.models import StaffMember
from audit.models import AuditEntry
from backoffice.demo import subscriptions
from backoffice.demo.office import ADMIN
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
)
from billing.models.statuses import SUBSCRIPTION_OVER
from billing.services.replay import replay_event

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
    assert set(found.values_list("status", flat=True)) == {
        "active",
        "trialing",
        "past_due",
        "unpaid",
        "incomplete_expired",
        "canceled",
    }
    assert selectors.leaving(found)
    assert found.exclude(discounts=[])
    assert {each.user.plan for each in found.filter(status="active")} <= {"starter", "pro", "studio"}


def test_one_is_paused_until_somebody_resumes_it_and_one_until_a_day():
    paused = Subscription.objects.filter(status="active", mrr_minor=0)
    assert paused.filter(pause_behavior="void", pause_resumes_at=None)
    assert paused.filter(pause_behavior="mark_uncollectible", pause_resumes_at__gt=END)


def test_one_that_was_paused_is_paid_for_again():
    told = StripeEvent.objects.filter(payload__data__object__pause_collection__behavior="void")
    resumed = Subscription.objects.filter(
        stripe_subscription_id__in=told.values("object_id"), status="active", pause_behavior="", mrr_minor__gt=0
    )
    assert resumed.filter(current_period_end__gt=END)


def test_none_that_goes_on_should_have_been_renewed_before():
    going_on = Subscription.objects.exclude(status__in=SUBSCRIPTION_OVER)
    assert going_on
    assert not going_on.filter(current_period_end__lt=END)


def test_what_is_earned_every_month_has_moved_in_every_way_and_adds_up():
    moved = selectors.waterfalls(Period(END - timedelta(days=120), END))
    kinds = {kind for each in moved for kind, customers in each.customers.items() if customers}
    assert kinds == set(selectors.MovementKind)
    assert selectors.turns(Period(END - timedelta(days=120), END)).downgrades
    assert selectors.mrr_at(END)["USD"] > 0
    assert sum(selectors.mrr_at(END).values()) == sum(Subscription.objects.values_list("mrr_minor", flat=True))


def test_invoices_are_paid_by_payments_and_others_are_open_void_or_written_off():
    assert set(Invoice.objects.values_list("status", flat=True)) == {"paid", "open", "void", "uncollectible"}
    paying = Payment.objects.exclude(stripe_invoice_id="")
    assert paying.count() == Invoice.objects.filter(amount_paid_minor__gt=0).count()
    assert not paying.filter(credits_purchased__gt=0)


def test_payments_have_fees_and_some_were_declined_given_back_or_disputed():
    assert not Payment.objects.filter(status="succeeded", fee_minor=None)
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded", "failed"}
    found = set(Payment.objects.values_list("status", flat=True))
    assert found == {"succeeded", "failed", "disputed", "refunded", "partially_refunded"}
    assert Refund.objects.filter(status="succeeded", amount_minor=F("payment__amount_minor"))
    assert set(Dispute.objects.values_list("status", flat=True)) == {"needs_response", "won", "lost"}
    assert Dispute.objects.filter(status="needs_response", evidence_due_at__gt=END)


def test_other_currencies_have_rates_for_every_day_on_which_somebody_paid():
    days = selectors.revenue_by_day(Period(END - timedelta(days=120), END))
    assert {each.revenue.currency for each in days} > {"USD"}
    assert selectors.in_reporting_currency(days).unconverted == []
    assert set(ExchangeRate.objects.values_list("base", flat=True)) == {"EUR", "JPY"}


def test_payments_that_are_unclear_a_dispute_of_one_and_what_failed_wait_for_somebody():
    waiting = StripeEvent.objects.exclude(state__in=["processed", "ignored"])
    assert Counter(waiting.values_list("state", "type")) == {
        ("parked", "payment_intent.succeeded"): 3,
        ("parked", "charge.dispute.created"): 1,
        ("failed", "customer.updated"): 1,
    }


def test_what_failed_stays_so_until_it_is_replayed_and_is_processed_then():
    failed = StripeEvent.objects.get(state="failed")
    assert failed.next_attempt_at is None
    assert str(failed.attempts) in failed.error
    actor = StaffMember.objects.get(email=ADMIN.email)
    assert replay_event(event_id=failed.pk, actor=actor, reason="The database is back").state == "processed"


def test_the_events_of_the_last_week_are_in_the_shapes_of_2025():
    since = END - timedelta(days=7)
    versions = StripeEvent.objects.values_list("api_version", flat=True).distinct()
    assert set(versions.filter(received_at__lt=since)) == {"2022-08-01"}
    assert set(versions.filter(received_at__gte=since)) == {"2025-03-31.basil"}


def test_what_the_newer_shapes_moved_stands_where_it_stands_since():
    invoices = newly_told("invoice")
    assert all(each["parent"]["subscription_details"]["subscription"] for each in invoices)
    assert not [each for each in invoices if {"subscription", "payment_intent", "discount"} & set(each)]
    subscriptions = newly_told("subscription")
    items = [item for each in subscriptions for item in each["items"]["data"]]
    assert all(item["current_period_end"] >= item["current_period_start"] for item in items)
    assert any(item["discounts"] for item in items)
    assert not [each for each in subscriptions if {"current_period_end", "discount"} & set(each)]
    assert not [each for each in newly_told("payment_intent") if {"charges", "invoice"} & set(each)]
    assert all(newly_told(kind) for kind in ("charge", "invoice_payment", "discount"))


def newly_told(kind: str) -> list[dict]:
    """The objects of this kind in the events of the last week; there are some."""
    told = StripeEvent.objects.filter(received_at__gte=END - timedelta(days=7), payload__data__object__object=kind)
    assert told
    return [event.payload["data"]["object"] for event in told]


def test_what_is_told_in_the_newer_shapes_is_as_complete_as_before():
    since = END - timedelta(days=7)
    paying = Payment.objects.filter(paid_at__gte=since, status="succeeded").exclude(stripe_invoice_id="")
    assert paying
    assert not paying.filter(Q(fee_minor=None) | Q(payment_method_last4="") | Q(stripe_charge_id=""))
    assert not Invoice.objects.filter(issued_at__gte=since).filter(Q(stripe_subscription_id="") | Q(period_end=None))
    assert Subscription.objects.filter(started_at__gte=since, mrr_minor__gt=0).exclude(discounts=[])
    assert Refund.objects.filter(refunded_at__gte=since)
