"""Events that staff leave as they are, and customers of Stripe's whom they link."""

import pytest

from accounts.models import Customer
from backoffice.lib import clock
from billing.handlers.whose import WAIT_FOR_SESSION
from billing.models import EventState, Payment, StripeEvent
from billing.selectors import reconciliation
from billing.services.replay import replay_event
from billing.tests.flow import deliver_without_session
from billing.tests.reconciling.steps import entries, filled, fix, words_of
from billing.tests.stripe_bodies import (
    CREATED,
    charge,
    event,
    intent_succeeded,
    payment_intent,
)
from credits.selectors import balance_of
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_an_event_is_left_with_a_reason(client, clerk, parked):
    shown = words_of(client.post(fix("settle-event", parked.pk), filled()))
    assert "State now Parked then Ignored" in shown
    assert StripeEvent.objects.get().state == EventState.PARKED
    client.post(fix("settle-event", parked.pk), filled(confirm="yes"))
    stored = StripeEvent.objects.get()
    assert (stored.state, stored.error) == (EventState.IGNORED, "Settled by hand: Seen in Stripe")
    assert entries() == [("billing.settle_event", "Seen in Stripe")]
    assert reconciliation.to_reconcile() == 0
    again = words_of(client.post(fix("settle-event", parked.pk), filled(confirm="yes")))
    assert "it waits for nobody" in again
    assert len(entries()) == 1


def test_a_payment_that_was_left_is_not_booked_by_what_stripe_says_of_it_later(client, clerk, customer):
    taken = charge(id="ch_1", payment_intent="pi_1", metadata={})
    (stored, *_) = deliver_without_session(
        intent_succeeded(payment_intent(id="pi_1", metadata={"credits": "100"}, customer="cus_ada")),
        event("charge.succeeded", taken),
    )
    assert stored.state == EventState.PARKED
    client.post(fix("settle-event", stored.pk), filled(confirm="yes"))
    Customer.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    (later,) = deliver_without_session(event("charge.updated", taken, created=CREATED + 3600))
    assert (later.state, Payment.objects.exists()) == (EventState.IGNORED, False)
    assert "settled by hand" in later.error
    with clock.at(clock.now() + WAIT_FOR_SESSION):
        replay_event(event_id=later.pk, actor=clerk, reason="It was never gifted")
    assert Payment.objects.get().user_id == customer.pk
    assert balance_of(customer.pk).balance == 100


def test_a_left_event_that_is_replayed_is_settled_by_hand_no_more(client, clerk, parked):
    client.post(fix("settle-event", parked.pk), filled(confirm="yes"))
    assert StripeEvent.objects.get().settled_by_hand
    replay_event(event_id=parked.pk, actor=clerk, reason="It was never gifted")
    stored = StripeEvent.objects.get()
    assert (stored.settled_by_hand, stored.state) == (False, EventState.RECEIVED)


def test_a_stripe_customer_is_linked_and_the_payment_booked(client, clerk, parked):
    ada = CustomerFactory(external_id="u_ada")
    shown = words_of(client.post(fix("link", parked.pk), filled(customer="u_ada")))
    assert "In Stripe now unknown then cus_unknown" in shown
    with clock.at(clock.now() + WAIT_FOR_SESSION):
        page = words_of(client.post(fix("link", parked.pk), filled(customer="u_ada", confirm="yes"), follow=True))
    assert "Linked, and the event has taken effect." in page
    assert Customer.objects.get(pk=ada.pk).stripe_customer_id == "cus_unknown"
    assert Payment.objects.get().user_id == ada.pk
    assert entries() == [("billing.link_customer", "Seen in Stripe"), ("billing.replay_event", "Seen in Stripe")]


def test_nobody_is_linked_twice_and_no_link_is_written_over(client, clerk, parked):
    CustomerFactory(external_id="u_ada", stripe_customer_id="cus_ada")
    for form in (filled(customer="u_ada"), filled(customer="u_ada", confirm="yes")):
        assert "nobody is two" in words_of(client.post(fix("link", parked.pk), form))
    CustomerFactory(stripe_customer_id="cus_unknown")
    bob = CustomerFactory(external_id="u_bob")
    for form in (filled(customer="u_bob"), filled(customer="u_bob", confirm="yes")):
        assert "replay the event" in words_of(client.post(fix("link", parked.pk), form))
    assert Customer.objects.get(pk=bob.pk).stripe_customer_id is None
    assert entries() == []
