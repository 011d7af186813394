"""Payments that staff book for a customer whom they name."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from audit.models import AuditEntry
from billing.errors import NotReconcilable
from billing.models import EventState, Payment, StripeEvent
from billing.selectors import reconciliation
from billing.services.processing import process_event
from billing.services.reconciling import assign_payment
from billing.tests.flow import deliver
from billing.tests.reconciling.steps import PERMISSIONS, entries, filled, fix, words_of
from billing.tests.stripe_bodies import (
    event,
)
from credits.models import CreditTransaction
from credits.selectors import balance_of, verify
from jobs.models import RoleLimit
from tests.factories import CustomerFactory, StaffFactory, permission
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def test_a_payment_is_assigned_to_a_customer_and_what_waited_for_it_follows(client, clerk, parked):
    ada = CustomerFactory(external_id="u_ada")
    form = {"customer": "u_ada", "credits": "120"}
    shown = words_of(client.post(fix("assign", parked.pk), filled(**form)))
    for line in ("Payment $10.00", f"Customer {ada.email}", "Credits +120", "Balance now 0 then 120"):
        assert line in shown
    assert not Payment.objects.exists()
    client.post(fix("assign", parked.pk), filled(**form, confirm="yes"))
    payment = Payment.objects.get()
    assert (payment.user_id, payment.credits_purchased, payment.amount_minor) == (ada.pk, 120, 1000)
    assert payment.transaction_id is not None
    assert balance_of(ada.pk).balance == 120
    stored = StripeEvent.objects.get()
    assert (stored.state, stored.error) == (
        EventState.IGNORED,
        f"Booked by hand for customer {ada.pk}: Seen in Stripe",
    )
    assert AuditEntry.objects.get().new_values["credits"] == "120"
    assert reconciliation.to_reconcile() == 0
    again = words_of(client.post(fix("assign", parked.pk), filled(**form, confirm="yes")))
    assert f"booked for customer {ada.pk} already" in again
    assert balance_of(ada.pk).balance == 120


def test_a_refund_that_waited_for_the_payment_is_booked_after_it_was_assigned(client, clerk, parked):
    ada = CustomerFactory(external_id="u_ada")
    told = {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "usd",
        "status": "succeeded",
        "payment_intent": parked.payment_intent_id,
        "created": 1_763_700_100,
        "metadata": {},
    }
    (refund,) = deliver(event("refund.created", told))
    assert refund.state != EventState.PROCESSED
    client.post(fix("assign", parked.pk), filled(customer="u_ada", credits="100", confirm="yes"))
    process_event(event_id=refund.pk)
    assert Payment.objects.get().refunded_minor == 500
    assert balance_of(ada.pk).balance == 50


def limited(per_act):
    role = Group.objects.create(name="limited")
    for name in PERMISSIONS:
        role.permissions.add(permission(*name.split(".")))
    RoleLimit.objects.create(group=role, verb="credits.adjust", per_act=per_act)
    member = StaffFactory()
    member.groups.add(role)
    return User.objects.get(pk=member.pk)


def test_more_credits_than_ones_limit_are_not_booked(client, parked):
    CustomerFactory(external_id="u_ada")
    client.force_login(limited(99))
    page = words_of(client.post(fix("assign", parked.pk), filled(customer="u_ada", credits="100", confirm="yes")))
    assert "Your limit for one act is 99 credits." in page
    assert not Payment.objects.exists()
    assert StripeEvent.objects.get().state == EventState.PARKED
    assert entries() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"customer": "nobody"}, "There is no such customer."),
        ({"credits": "0"}, "credits"),
        ({"credits": "NaN"}, "credits"),
        ({"customer": "u_ada\x00"}, "Null characters"),
        ({"reason": " "}, "required"),
    ],
)
def test_what_cannot_be_assigned_is_refused(client, clerk, parked, given, said):
    CustomerFactory(external_id="u_ada")
    form = filled(**{"customer": "u_ada", "credits": "100", "confirm": "yes"} | given)
    assert said in words_of(client.post(fix("assign", parked.pk), form))
    assert not Payment.objects.exists()


def test_an_event_that_tells_of_no_payment_cannot_be_assigned(client, clerk, customer):
    (stored,) = deliver(event("checkout.session.completed", {"id": "cs_1", "payment_status": "no_payment_required"}))
    page = words_of(client.post(fix("assign", stored.pk), filled(customer="u_ada", credits="1")))
    assert "does not say that a payment came in" in page


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_several_people_assign_at_once_is_booked_once(parked):
    people = [CustomerFactory() for _ in range(4)]

    def assign(customer):
        return assign_payment(
            event_id=parked.pk, user_id=customer.pk, credits=Decimal(100), actor=StaffFactory(), reason="Seen in Stripe"
        )

    answers = at_once([lambda c=each: assign(c) for each in people])
    assert [type(answer) for answer in answers if not isinstance(answer, Payment)] == [NotReconcilable] * 3
    assert CreditTransaction.objects.count() == AuditEntry.objects.count() == Payment.objects.count() == 1
    assert list(verify()) == []
