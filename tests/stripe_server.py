"""A Stripe to talk to: localstripe, a server with Stripe's API that keeps what it is told in memory.

It does not protect us: it refunds more than was paid and knows no idempotency keys. What it does not have at all, such
as prices, checkout sessions and disputes, is in ``tests/stripe_lists.py``.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import stripe

from tests.stack import free_port

SECRET_KEY = "sk_test_of_localstripe"
PATIENCE_SECONDS = 30
# By its own command it would listen to everybody, and all of them would write one file in /tmp.
SERVE = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@dataclass(frozen=True)
class StripeServer:
    """A running localstripe."""

    url: str

    @property
    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient(SECRET_KEY, base_addresses={"api": self.url})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What it answers to a request as Stripe's libraries make it; raises unless it succeeds."""
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        answer = requests.request(method, f"{self.url}/v1/{path}", json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def forget(self) -> None:
        """Start from nothing."""
        requests.delete(f"{self.url}/_config/data", timeout=10).raise_for_status()

    def customer(self, **fields: Any) -> dict[str, Any]:
        """A customer with a card that pays."""
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2099, "cvc": "123"}
        method = self.call("POST", "payment_methods", {"type": "card", "card": card})
        return self.call("POST", "customers", {"email": "ada@example.com", "payment_method": method["id"], **fields})

    def payment(self, customer: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A payment intent of theirs that succeeded, 1000 cents unless told."""
        [method] = self.call("GET", f"payment_methods?customer={customer['id']}&type=card")["data"]
        intent = {
            "amount": 1000,
            "currency": "usd",
            "customer": customer["id"],
            "payment_method": method["id"],
            "confirm": True,
        }
        return self.call("POST", "payment_intents", intent | fields)

    def refunds(self, intent_id: str) -> list[dict[str, Any]]:
        """What was refunded of a payment, the newest first."""
        return self.call("GET", f"refunds?payment_intent={intent_id}&limit=100")["data"]


@pytest.fixture(scope="session")
def _stripe_server() -> Iterator[StripeServer]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], stdin=subprocess.DEVNULL)
    server = StripeServer(f"http://127.0.0.1:{port}")
    try:
        _wait_until_it_answers(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture
def stripe_server(_stripe_server: StripeServer, settings: Any) -> Iterator[StripeServer]:
    """A Stripe without anything in it, to which our calls go for the time of this test."""
    _stripe_server.forget()
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    settings.STRIPE_API_BASE = _stripe_server.url
    yield _stripe_server
    _stripe_server.forget()


def _wait_until_it_answers(server: StripeServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "localstripe ended by itself"
        try:
            return server.forget()
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("localstripe does not answer")
