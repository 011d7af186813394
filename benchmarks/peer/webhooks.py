"""A worker that takes Stripe's deliveries with dj-stripe, whose own question to Stripe is answered from the event.

dj-stripe asks Stripe again for every object that an event tells of; here that costs it nothing. Runs with the peer.
"""

import json
from functools import partial
from typing import Any

from django.test import Client
from django.urls import reverse
from djstripe.models import Account, APIKey, WebhookEndpoint, WebhookEventTrigger
from djstripe.models.base import StripeModel

from benchmarks.child import run_for
from benchmarks.deliveries import SECRET, delivery
from benchmarks.peer.settings import STRIPE_TEST_SECRET_KEY

stripe = Client(enforce_csrf_checks=True)
told: dict[str, Any] = {}
addresses: list[str] = []


def prepare() -> None:
    """An account of Stripe's with its key, and an endpoint that verifies signatures."""
    account = Account.objects.create(id="acct_of_the_benchmark", livemode=False)
    APIKey.objects.create(type="secret", secret=STRIPE_TEST_SECRET_KEY, livemode=False, djstripe_owner_account=account)
    endpoint = WebhookEndpoint.objects.create(
        id="we_of_the_benchmark",
        livemode=False,
        enabled_events=["*"],
        secret=SECRET,
        status="enabled",
        url="http://testserver/",
        djstripe_owner_account=account,
        djstripe_validation_method="verify_signature",
    )
    addresses.append(reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid]))
    StripeModel.api_retrieve = lambda self, **_: told  # type: ignore[assignment]


def accept(event_type: str) -> None:
    body, signature = delivery(event_type)
    told.clear()
    told.update(json.loads(body)["data"]["object"])
    answer = stripe.post(addresses[0], body, content_type="application/json", headers={"Stripe-Signature": signature})
    if answer.status_code != 200:
        raise RuntimeError(f"Answered {answer.status_code}: {answer.content.decode()}")


def accepted(event_type: str, seconds: float, start_at: float) -> dict[str, float]:
    return run_for(seconds, start_at, partial(accept, event_type))


def unprocessed() -> int:
    """How many deliveries it kept and did not process: none, or the figure is of something else."""
    return WebhookEventTrigger.objects.filter(processed=False).count()


COMMANDS = {"prepare": prepare, "accepted": accepted, "unprocessed": unprocessed}
