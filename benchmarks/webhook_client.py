"""A worker that takes Stripe's deliveries through the whole of the product: verified, kept, acknowledged."""

from functools import partial

from django.conf import settings
from django.test import Client
from django.urls import reverse

from benchmarks.child import run_for
from benchmarks.deliveries import SECRET, delivery

settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
ADDRESS = reverse("stripe-webhook")
stripe = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")


def accept(event_type: str) -> None:
    body, signature = delivery(event_type)
    answer = stripe.post(ADDRESS, body, content_type="application/json", headers={"Stripe-Signature": signature})
    if answer.status_code != 200:
        raise RuntimeError(f"Answered {answer.status_code}: {answer.content.decode()}")


def accepted(event_type: str, seconds: float, start_at: float) -> dict[str, float]:
    return run_for(seconds, start_at, partial(accept, event_type))


COMMANDS = {"accepted": accepted}
