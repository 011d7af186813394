"""Refunds and disputes that are told at once, on real threads; and of customers who are others by now."""

import pytest

from accounts.models import CustomerFigures
from accounts.services import anonymise_user, merge_customers
from billing.models import Dispute, EventState, PaymentStatus, Refund, StripeEvent
from billing.services.processing import process_event
from billing.tests.bodies.money_back import dispute, failed, refund, refunded_charge, withdrawn
from billing.tests.flow import bought, deliver, payment, post
from billing.tests.stripe_bodies import CREATED, charge, encoded, event, intent_succeeded
from credits.models import CreditTransaction
from credits.selectors import balance_of, verify
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def purchase() -> dict:
    return intent_succeeded(bought(id="pi_1", latest_charge=charge(id="ch_1")))


def test_all_that_is_told_of_a_payment_at_once_ends_as_one_after_the_other(customer):
    first, second = refund(id="re_1"), refund(id="re_2", created=CREATED + 70)
    taken = withdrawn(dispute(id="dp_1", amount=400))
    told = [
        purchase(),
        event("refund.created", first, created=CREATED + 60),
        event("refund.created", second, created=CREATED + 70),
        event("charge.refunded", refunded_charge(600, first, second), created=CREATED + 70),
        event("refund.failed", failed(second), created=CREATED + 80),
        event("charge.dispute.created", taken, created=CREATED + 90),
        event("charge.dispute.closed", taken | {"status": "lost"}, created=CREATED + 99),
    ]
    for body in told:
        post(encoded(body))
    ids = list(StripeEvent.objects.values_list("pk", flat=True))
    at_once([lambda i=event_id: process_event(event_id=i) for event_id in [*ids, *ids]])
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    paid = payment()
    assert (paid.status, paid.refunded_minor, paid.disputed_minor) == (PaymentStatus.DISPUTED, 300, 400)
    assert balance_of(customer.pk).balance == 30
    assert CustomerFigures.objects.get(user=customer).spend_minor == 300
    assert (Refund.objects.count(), Dispute.objects.count()) == (2, 1)
    assert list(verify()) == []


def test_a_refund_before_its_payment_waits_for_it_and_says_so(customer):
    (stored,) = deliver(event("refund.created", refund(id="re_1"), created=CREATED + 60))
    assert stored.state == EventState.PARKED
    assert "pi_1" in stored.error
    deliver(purchase())
    stored.refresh_from_db()
    assert (stored.state, payment().refunded_minor) == (EventState.PROCESSED, 300)
    assert balance_of(customer.pk).balance == 70


def test_what_was_spent_already_becomes_debt_and_a_dispute_that_is_won_ends_it(customer):
    taken = withdrawn(dispute(id="dp_1"))
    deliver(purchase(), event("charge.dispute.created", taken, created=CREATED + 90))
    assert balance_of(customer.pk).balance == 0
    deliver(event("charge.dispute.closed", taken | {"status": "won"}, created=CREATED + 99))
    assert balance_of(customer.pk).balance == 100
    assert list(CreditTransaction.objects.order_by("pk").values_list("kind", flat=True)) == [
        "purchase",
        "chargeback",
        "reinstatement",
    ]


def test_a_refund_of_somebody_who_was_merged_counts_for_who_stayed(customer):
    deliver(purchase())
    survivor = CustomerFactory()
    merge_customers(survivor_id=survivor.pk, merged_id=customer.pk, reason="the same", actor=StaffFactory())
    (stored,) = deliver(event("charge.refunded", refunded_charge(300), created=CREATED + 60))
    assert stored.state == EventState.PROCESSED, stored.error
    assert CustomerFigures.objects.get(user=survivor).spend_minor == 700
    assert CustomerFigures.objects.get(user=customer).spend_minor == 0
    assert list(verify()) == []


def test_a_refund_of_somebody_who_was_forgotten_is_booked(customer):
    deliver(purchase())
    anonymise_user(user_id=customer.pk, reason="asked for", actor=StaffFactory())
    known = payment()
    again = charge(id="ch_1", payment_intent="pi_1", metadata={"user_id": "u_ada"}, amount_refunded=300)
    (stored,) = deliver(event("charge.refunded", again, created=CREATED + 60))
    assert stored.state == EventState.PROCESSED, stored.error
    refunded = payment()
    assert (refunded.refunded_minor, refunded.paid_at) == (300, min(known.paid_at, refunded.paid_at))
    assert refunded.payment_method_last4 == ""
