"""Payments that are known to localstripe and booked here."""

import pytest

from billing.models import CreditPolicy, Payment, Refund
from billing.services.refunding import request_refund
from billing.tests.flow import bought, deliver
from billing.tests.refunding.wire import wire_to
from billing.tests.stripe_bodies import intent_succeeded
from tests.factories import StaffFactory


@pytest.fixture
def clerk():
    return StaffFactory(permissions=["billing.view_payment", "billing.refund_payment"])


@pytest.fixture
def wire(stripe_server, settings):
    """Between us and localstripe."""
    with wire_to(stripe_server.url) as (wire, url):
        settings.STRIPE_API_BASE = url
        yield wire


@pytest.fixture
def pay(customer, stripe_server):
    """Pays ``amount`` of Stripe's units for 100 credits, there and here; our payment."""
    payer = stripe_server.customer()

    def pay(amount=1000, currency="usd"):
        paid = stripe_server.payment(payer, amount=amount, currency=currency)
        deliver(intent_succeeded(bought(id=paid["id"], amount=amount, currency=currency)))
        return Payment.objects.get(stripe_payment_id=paid["id"])

    return pay


@pytest.fixture
def ask(clerk):
    """Asks for a refund of a payment: the row, before Stripe is called."""

    def ask(payment, amount_minor=None, *, actor=clerk, policy=CreditPolicy.CLAW_BACK, key="admin:refund:1", **more):
        return request_refund(
            payment_id=payment.pk,
            amount_minor=amount_minor,
            policy=policy,
            reason="They were charged twice",
            actor=actor,
            idempotency_key=key,
            **more,
        )

    return ask


def state_of(refund: Refund) -> tuple[str, str]:
    """Its status as the database has it, and why it failed."""
    known = Refund.objects.get(pk=refund.pk)
    return known.status, known.failure
