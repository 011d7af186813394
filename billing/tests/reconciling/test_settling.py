"""Credits brought in line with what went back, and purchases that nobody paid taken back."""

from decimal import Decimal

import pytest

from accounts import services as accounts
from audit.models import AuditEntry
from backoffice.lib import clock
from billing.errors import NotReconcilable
from billing.models import Payment, Refund
from billing.services.reconciling import settle_payment, take_back
from billing.tests.reconciling.steps import entries, filled, fix, paid, unpaid_purchase, words_of
from credits.models import CreditTransaction
from credits.selectors import balance_of, verify
from tests.factories import StaffFactory
from tests.threads import while_another_waits

pytestmark = pytest.mark.django_db


def test_credits_are_settled_by_what_went_back(client, clerk, customer):
    payment = paid()
    Refund.objects.create(
        payment=payment, stripe_refund_id="re_1", amount_minor=500, status="succeeded", refunded_at=clock.now()
    )
    Payment.objects.update(refunded_minor=500, status="partially_refunded")
    shown = words_of(client.post(fix("settle", payment.pk), filled()))
    assert "Credits taken back now 0 then 50" in shown
    assert "Balance now 100 then 50" in shown
    client.post(fix("settle", payment.pk), filled(confirm="yes"))
    assert balance_of(customer.pk).balance == 50
    assert entries() == [("billing.settle_payment", "Seen in Stripe")]
    assert "nothing to settle" in words_of(client.post(fix("settle", payment.pk), filled()))
    client.post(fix("settle", payment.pk), filled(confirm="yes"))
    assert len(entries()) == 1


def test_settling_by_hand_answers_and_records_all_that_it_changed(clerk, customer):
    payment = paid()
    Refund.objects.create(
        payment=payment, stripe_refund_id="re_1", amount_minor=500, status="succeeded", refunded_at=clock.now()
    )
    settled = settle_payment(payment_id=payment.pk, actor=clerk, reason="Seen in Stripe")
    assert (settled.refunded_minor, settled.status) == (500, "partially_refunded")
    entry = AuditEntry.objects.get()
    assert entry.old_values == {"refunded_minor": 0, "status": "succeeded", "taken_back": "0"}
    assert entry.new_values == {
        "payment": payment.stripe_payment_id,
        "refunded_minor": 500,
        "status": "partially_refunded",
        "taken_back": "50",
    }


def test_settling_a_payment_that_bought_no_credits_is_recorded_too(clerk, customer):
    payment = Payment.objects.create(
        user=customer,
        stripe_payment_id="pi_invoice",
        amount_minor=1000,
        currency="USD",
        status="succeeded",
        paid_at=clock.now(),
    )
    payment.disputes.create(
        stripe_dispute_id="dp_1", amount_minor=1000, status="lost", opened_at=clock.now(), closed_at=clock.now()
    )
    settle_payment(payment_id=payment.pk, actor=clerk, reason="Seen in Stripe")
    entry = AuditEntry.objects.get()
    assert entry.old_values == {"disputed_minor": 0, "status": "succeeded"}
    assert entry.new_values == {"payment": "pi_invoice", "disputed_minor": 1000, "status": "disputed"}


def test_a_purchase_that_nobody_paid_is_taken_back_once(client, clerk, customer):
    entry = unpaid_purchase(customer)
    shown = words_of(client.post(fix("take-back", entry.pk), filled()))
    assert "Credits -100 Balance now 100 then 0" in shown
    form = filled(confirm="yes")
    for _ in range(2):
        client.post(fix("take-back", entry.pk), form)
    assert balance_of(customer.pk).balance == 0
    assert CreditTransaction.objects.filter(reverses=entry).count() == 1
    assert entries() == [("billing.take_back_purchase", "Seen in Stripe")]
    assert list(verify()) == []


def test_a_purchase_that_was_paid_is_not_taken_back(client, clerk, customer):
    payment = paid()
    page = words_of(client.post(fix("take-back", payment.transaction_id), filled(confirm="yes")))
    assert "This purchase was paid" in page
    assert balance_of(customer.pk).balance == 100


def test_not_even_a_program_takes_back_what_was_paid(clerk, customer):
    payment = paid()
    with pytest.raises(NotReconcilable):
        take_back(
            transaction_id=payment.transaction_id,
            amount=Decimal(1),
            actor=clerk,
            reason="Seen in Stripe",
            idempotency_key="admin:take-back:1",
        )
    assert balance_of(customer.pk).balance == 100


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_waits_for_a_payment_that_is_being_booked(customer):
    entry = unpaid_purchase(customer)
    clerk = StaffFactory()

    def book():
        accounts.lock_customers([customer.pk])
        Payment.objects.create(
            user=customer,
            transaction=entry,
            status="succeeded",
            stripe_payment_id="pi_late",
            amount_minor=1000,
            currency="USD",
            credits_purchased=100,
            paid_at=clock.now(),
        )

    def take():
        return take_back(
            transaction_id=entry.pk,
            amount=Decimal(100),
            actor=clerk,
            reason="Seen in Stripe",
            idempotency_key="admin:1",
        )

    assert isinstance(while_another_waits(book, take)[1], NotReconcilable)
    assert balance_of(customer.pk).balance == 100
