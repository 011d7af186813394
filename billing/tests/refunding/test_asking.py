"""A refund is kept before Stripe is called: within what is left, within limits, audited, and once."""

import uuid
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from audit.models import AuditEntry
from backoffice.lib import clock
from billing.errors import NotRefundable, ReasonMissing, StripeNotConfigured
from billing.models import CreditPolicy, ExchangeRate, Payment, Refund, RefundStatus
from billing.services.refunding import request_refund
from jobs.errors import LimitExceeded, TokenReused
from jobs.models import LimitUse, RoleLimit
from tests.factories import StaffFactory, permission

pytestmark = pytest.mark.django_db


def limited(per_act=None, per_day=None):
    """Somebody whose role may refund so much, in dollars."""
    role = Group.objects.create(name=f"role {uuid.uuid4()}")
    role.permissions.add(permission("billing", "refund_payment"), permission("billing", "view_payment"))
    RoleLimit.objects.create(group=role, verb="billing.refund", per_act=per_act, per_day=per_day)
    member = StaffFactory()
    member.groups.add(role)
    return User.objects.get(pk=member.pk)


def test_it_is_pending_and_due_and_audited(pay, ask, clerk):
    payment = pay()
    refund = ask(payment, 300)
    assert (refund.status, refund.amount_minor, refund.actor_id) == (RefundStatus.PENDING, 300, clerk.pk)
    assert (refund.stripe_refund_id, refund.attempts, refund.reason) == (None, 0, "They were charged twice")
    assert refund.next_attempt_at is not None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.reason) == (
        "billing.refund_payment",
        clerk.pk,
        "They were charged twice",
    )
    assert (entry.resource_type, entry.resource_id) == ("accounts.user", str(payment.user_id))
    assert entry.old_values == {"left_minor": 1000}
    assert entry.new_values == {
        "payment": payment.stripe_payment_id,
        "refund": refund.pk,
        "amount_minor": 300,
        "currency": "USD",
        "policy": "claw_back",
        "left_minor": 700,
    }


def test_without_an_amount_it_is_all_that_is_left(pay, ask):
    payment = pay()
    ask(payment, 300)
    assert ask(payment, key="admin:refund:2").amount_minor == 700


@pytest.mark.parametrize("amount", [0, -1, 1001, 10**30])
def test_more_than_was_paid_or_nothing_is_refused(pay, ask, amount):
    with pytest.raises(NotRefundable, match=r"At most \$10.00"):
        ask(pay(), amount)
    assert not Refund.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not LimitUse.objects.exists()


def test_what_is_under_way_counts_as_given(pay, ask):
    payment = pay()
    ask(payment, 600)
    with pytest.raises(NotRefundable, match=r"At most \$4.00"):
        ask(payment, 401, key="admin:refund:2")
    ask(payment, 400, key="admin:refund:3")
    with pytest.raises(NotRefundable, match="Nothing is left"):
        ask(payment, 1, key="admin:refund:4")


def test_what_failed_is_free_again(pay, ask):
    payment = pay()
    refund = ask(payment)
    Refund.objects.filter(pk=refund.pk).update(status=RefundStatus.FAILED)
    assert ask(payment, key="admin:refund:2").amount_minor == 1000


def test_what_is_disputed_cannot_be_given_back(pay, ask):
    payment = pay()
    Payment.objects.filter(pk=payment.pk).update(disputed_minor=1000, status="disputed")
    with pytest.raises(NotRefundable, match="disputed"):
        ask(payment)


def test_what_was_not_paid_cannot_be_given_back(customer, ask, settings):
    settings.STRIPE_SECRET_KEY = "sk_test"
    failed = Payment.objects.create(
        user=customer, stripe_payment_id="pi_1", amount_minor=1000, currency="USD", status="failed", paid_at=_now()
    )
    with pytest.raises(NotRefundable, match="failed: there is nothing to give back"):
        ask(failed)


def _now():
    from backoffice.lib import clock  # noqa: PLC0415

    return clock.now()


def test_one_key_asks_once_and_for_one_thing(pay, ask):
    payment, other = pay(), pay()
    first = ask(payment, 300)
    assert ask(payment, 300) == first == ask(payment)
    for wrong in (lambda: ask(payment, 301), lambda: ask(other, 300), lambda: ask(payment, 300, policy="leave")):
        with pytest.raises(TokenReused):
            wrong()
    assert Refund.objects.count() == AuditEntry.objects.count() == LimitUse.objects.count() == 1


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_it_needs_a_reason(pay, clerk, reason):
    with pytest.raises(ReasonMissing):
        request_refund(
            payment_id=pay().pk,
            amount_minor=1,
            policy=CreditPolicy.LEAVE,
            reason=reason,
            actor=clerk,
            idempotency_key="k",
        )


def test_without_a_key_it_is_refused_with_a_sentence(pay, ask, settings):
    payment = pay()
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(StripeNotConfigured, match="STRIPE_SECRET_KEY"):
        ask(payment)
    assert not Refund.objects.exists()


def test_above_ones_limit_nothing_is_kept(pay, ask):
    payment, clerk = pay(), limited(per_act=5, per_day=8)
    with pytest.raises(LimitExceeded, match=r"one act is \$5.00"):
        ask(payment, 501, actor=clerk)
    ask(payment, 500, actor=clerk)
    with pytest.raises(LimitExceeded, match=r"a day is \$8.00, of which \$5.00"):
        ask(payment, 301, actor=clerk, key="admin:refund:2")
    assert Refund.objects.count() == AuditEntry.objects.count() == 1


def test_what_a_second_person_allowed_counts_against_their_limit(pay, ask):
    clerk, boss = limited(per_act=5), limited(per_act=50)
    refund = ask(pay(), actor=clerk, approved_by=boss)
    assert refund.actor_id == clerk.pk
    assert LimitUse.objects.values_list("staff", "amount").get() == (boss.pk, 10)
    assert AuditEntry.objects.get().new_values["approved_by"] == str(boss)


def test_another_currency_counts_by_its_rate(pay, ask):
    ExchangeRate.objects.create(date=date(2020, 1, 1), base="EUR", quote="USD", rate="1.25")
    payment = pay(currency="eur")
    with pytest.raises(LimitExceeded):
        ask(payment, 401, actor=limited(per_act=5))
    ask(payment, 400, actor=limited(per_act=5))
    assert LimitUse.objects.get().amount == 5


def test_the_rate_is_that_of_the_day_of_reports(pay, ask, settings):
    settings.REPORTING_TIME_ZONE = "Asia/Tokyo"
    payment, clerk = pay(currency="eur"), limited(per_act=500)
    ExchangeRate.objects.create(date=date(2026, 1, 2), base="EUR", quote="USD", rate="1.25")
    with clock.at(datetime(2026, 1, 1, 20, tzinfo=UTC)):
        ask(payment, 400, actor=clerk)
    assert LimitUse.objects.get().amount == 5


def test_without_a_rate_who_has_a_limit_cannot_do_it_alone(pay, ask, clerk):
    payment = pay(currency="eur")
    with pytest.raises(LimitExceeded, match="no exchange rate for EUR"):
        ask(payment, 1, actor=limited(per_act=500))
    ask(payment, 1, actor=clerk)
    assert Refund.objects.get().actor_id == clerk.pk
