"""What tests do over and over: deliver events as Stripe does, and let the worker work."""

import re
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.lib import clock
from billing.handlers.whose import WAIT_FOR_SESSION
from billing.models import EventState, Payment, StripeEvent
from billing.services.inbox import claim_due_events
from billing.services.processing import process_event
from billing.tests.stripe_bodies import encoded, payment_intent, signature
from credits.models import CreditTransaction

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


def deliver_without_session(*events: dict) -> list[StripeEvent]:
    """Deliver the events, and let the sweep take up what has waited in vain for a session."""
    stored = deliver(*events)
    with clock.at(clock.now() + WAIT_FOR_SESSION):
        for event_id in claim_due_events(limit=len(stored)):
            process_event(event_id=event_id)
    return [StripeEvent.objects.get(pk=each.pk) for each in stored]


def payment() -> Payment:
    """The only payment there is."""
    return Payment.objects.select_related("user", "transaction").get()


def bought(**fields) -> dict:
    """A payment intent of customer ``u_ada`` for 100 credits."""
    return payment_intent(metadata={"user_id": "u_ada", "credits": "100"}, **fields)


def bought_with(key: str, value: Any) -> dict:
    """The same, with ``value`` under ``key`` of the metadata."""
    intent = bought()
    intent["metadata"][key] = value
    return intent


def is_parked(stored: StripeEvent, *words: str) -> bool:
    """Parked with a reason that has these words, and nothing was booked."""
    assert stored.state == EventState.PARKED, stored.error
    assert [word for word in words if word not in stored.error] == []
    assert not Payment.objects.exists()
    assert not CreditTransaction.objects.exists()
    return True


def page_of(record: Model) -> str:
    """The address of its page in the admin."""
    return reverse(f"admin:billing_{record._meta.model_name}_change", args=[record.pk])


def text_of(response: HttpResponse) -> str:
    """What the page says, without its tags."""
    return re.sub(r"<[^>]+>|\s+", " ", response.content.decode())
