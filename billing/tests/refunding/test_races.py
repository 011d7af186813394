"""Refunds at once, on real threads and connections."""

from datetime import timedelta

import pytest

from audit.models import AuditEntry
from backoffice.lib import clock
from billing.errors import NotRefundable
from billing.models import Payment, Refund, RefundStatus
from billing.services.refund_calls import make_refund, resolve_refund
from jobs.models import LimitUse
from tests.factories import StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_refunds_at_once_never_exceed_the_payment(pay, ask, stripe_server):
    payment = pay()
    people = [StaffFactory() for _ in range(8)]

    def give_back(number):
        refund = ask(payment, 300, actor=people[number], key=f"admin:refund:{number}")
        return make_refund(refund_id=refund.pk)

    answers = at_once([lambda n=number: give_back(n) for number in range(8)])
    done = [answer for answer in answers if isinstance(answer, Refund)]
    assert len(done) == 3
    assert {type(answer) for answer in answers} == {Refund, NotRefundable}
    there = stripe_server.refunds(payment.stripe_payment_id)
    assert sorted(each["id"] for each in there) == sorted(refund.stripe_refund_id for refund in done)
    assert sum(each["amount"] for each in there) == Payment.objects.get().refunded_minor == 900


def test_a_double_click_is_one_refund(pay, ask, wire, stripe_server):
    payment = pay()
    answers = at_once([lambda: make_refund(refund_id=ask(payment, 300).pk)] * 6)
    assert {answer.pk for answer in answers} == {Refund.objects.get().pk}
    assert wire.made() == len(stripe_server.refunds(payment.stripe_payment_id)) == 1
    assert AuditEntry.objects.count() == LimitUse.objects.count() == 1


def test_the_sweep_and_the_form_ask_once(pay, ask, wire):
    refund = ask(pay(), 300)

    def swept():
        with clock.at(clock.now() + timedelta(minutes=1)):
            resolve_refund(refund_id=refund.pk)

    at_once([lambda: make_refund(refund_id=refund.pk), swept, lambda: make_refund(refund_id=refund.pk), swept])
    assert wire.made() == 1
    resolve_refund(refund_id=refund.pk)
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
