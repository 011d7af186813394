"""What tests do over and over: deliver events as Stripe does, and let the worker work."""

from django.test import Client

from billing.models import Payment, StripeEvent
from billing.services.processing import process_event
from billing.tests.stripe_bodies import encoded, signature

ADDRESS = "/webhooks/stripe/"


def post(body: bytes, header: str | None = None, **extra):
    """Deliver these bytes, signed unless told otherwise."""
    signed = signature(body) if header is None else header
    return Client().post(ADDRESS, body, content_type="application/json", headers={"Stripe-Signature": signed}, **extra)


def deliver(*events: dict) -> list[StripeEvent]:
    """Deliver the events in this order, the worker doing each at once; their rows as they then are."""
    for event in events:
        assert post(encoded(event)).status_code == 200
        process_event(event_id=StripeEvent.objects.get(stripe_id=event["id"]).pk)
    return [StripeEvent.objects.get(stripe_id=event["id"]) for event in events]


def payment() -> Payment:
    """The only payment there is."""
    return Payment.objects.select_related("user", "transaction").get()
