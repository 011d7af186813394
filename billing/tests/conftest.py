"""Stripe's secret is known, no Stripe is called, and no broker listens: what is nudged here reaches no worker."""

import pytest

from backoffice.celery import app
from billing.models import CreditPack
from billing.tests import stripe_bodies
from tests.factories import CustomerFactory, StaffFactory


@pytest.fixture(autouse=True)
def _our_stripe(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [stripe_bodies.SECRET]
    settings.STRIPE_SECRET_KEY = ""
    settings.STRIPE_API_BASE = ""
    settings.STRIPE_LIVEMODE = False
    settings.REPORTING_CURRENCY = "USD"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch, tmp_path):
    monkeypatch.setattr(app.conf, "broker_url", f"redis+socket://{tmp_path}/absent.sock")


@pytest.fixture
def customer():
    return CustomerFactory(external_id="u_ada", email="Ada@example.com")


@pytest.fixture
def pack():
    return CreditPack.objects.create(
        name="Small", credits=100, price_minor=1000, currency="USD", stripe_price_id="price_small"
    )


@pytest.fixture
def reader(client):
    member = StaffFactory(permissions=["billing.view_payment", "billing.view_stripeevent", "billing.view_creditpack"])
    client.force_login(member)
    return member
