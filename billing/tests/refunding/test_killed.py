"""Whoever asks for a refund is killed: the sweep finds out what became of it, and Stripe is asked once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as project

from backoffice.lib import clock
from billing.models import Payment, Refund, RefundStatus
from billing.services.refund_calls import claim_due_refunds, resolve_refund
from tests import databases

pytestmark = pytest.mark.django_db(transaction=True)

BEGIN = """
import os, signal
import django
django.setup()
from accounts.models import User
from billing.models import CreditPolicy
from billing.services.refund_calls import make_refund
from billing.services.refunding import request_refund
refund = request_refund(
    payment_id={payment}, amount_minor=300, policy=CreditPolicy.CLAW_BACK, reason="They were charged twice",
    actor=User.objects.get(pk={actor}), idempotency_key="admin:refund:1",
)
"""
CALL = "make_refund(refund_id=refund.pk)"
DIE = "os.kill(os.getpid(), signal.SIGKILL)"


def asking(payment, actor, then, url):
    """A process of ours on the test's database that asks for a refund, and then goes on with the Stripe at ``url``."""
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN.format(payment=payment.pk, actor=actor.pk) + then],
        cwd=databases.REPOSITORY,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "backoffice.settings",
            "BACKOFFICE_ENV": "development",
            "DATABASE_URL": databases.on_database(databases.app_url(), project.DATABASES["default"]["NAME"]),
            "STRIPE_SECRET_KEY": project.STRIPE_SECRET_KEY,
            "STRIPE_API_BASE": url,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def sweep(after):
    with clock.at(clock.now() + after):
        for refund_id in claim_due_refunds(limit=10):
            resolve_refund(refund_id=refund_id)


def is_made_once(payment, wire, stripe_server):
    assert wire.made() == len(stripe_server.refunds(payment.stripe_payment_id)) == 1
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert Payment.objects.get().refunded_minor == 300
    return True


def test_killed_between_the_commit_and_the_call(pay, clerk, wire, stripe_server, settings):
    payment = pay()
    process = asking(payment, clerk, DIE, settings.STRIPE_API_BASE)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert (Refund.objects.get().attempts, wire.made()) == (0, 0)
    sweep(timedelta(seconds=15))
    assert is_made_once(payment, wire, stripe_server)


def test_killed_between_the_call_and_its_answer(pay, clerk, wire, stripe_server, settings):
    payment = pay()
    process = asking(payment, clerk, CALL, settings.STRIPE_API_BASE)
    # The call has arrived at Stripe by then, and its answer finds nobody.
    wire.before = process.kill
    assert process.wait(timeout=60) == -signal.SIGKILL
    wire.before = lambda: None
    refund = Refund.objects.get()
    assert (refund.status, refund.attempts) == (RefundStatus.PENDING, 1)
    sweep(timedelta(minutes=3))
    assert is_made_once(payment, wire, stripe_server)
