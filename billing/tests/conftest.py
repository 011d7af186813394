"""Stripe's secret is known, no Stripe is called, and no broker listens: what is nudged here reaches no worker."""

import pytest

from backoffice.celery import app
from billing.tests import stripe_bodies


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
