"""Stripe's old events: emptied once they are settled, with the hash of what they said, and never rewritten."""

import hashlib
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.urls import reverse

from backoffice.lib import clock
from billing.errors import NotReplayable
from billing.models import EventState, Payment, StripeEvent
from billing.services.replay import replay_event
from billing.tests import stripe_bodies
from billing.tests.flow import deliver
from jobs import services
from tests import databases
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_for(settings):
    settings.RETENTION_STRIPE_DAYS = 200


def event(days, *, user="ours", kind="payment_intent.succeeded"):
    intent = stripe_bodies.payment_intent(metadata={"user_id": user, "credits": "100"})
    body = stripe_bodies.intent_succeeded(intent)
    body["type"] = kind
    with clock.at(clock.now() - timedelta(days=days)):
        return deliver(body)[0]


@pytest.fixture
def ours():
    return CustomerFactory(external_id="ours")


def removed():
    return {pruned.retention.key: pruned.count for pruned in services.prune() if pruned.count}


def test_an_old_settled_event_leaves_its_hash_and_what_was_booked_from_it(ours):
    old, young = event(201), event(199)
    said = bytes(StripeEvent.objects.get(pk=old.pk).body)
    assert removed() == {"stripe-events": 1}
    assert removed() == {}
    old.refresh_from_db()
    young.refresh_from_db()
    assert (bytes(old.body), old.payload, old.state) == (b"", None, EventState.PROCESSED)
    assert old.body_sha256 == hashlib.sha256(said).hexdigest()
    assert (bytes(young.body) != b"", young.body_sha256) == (True, "")
    assert Payment.objects.count() == 2


def test_what_is_not_settled_keeps_what_it_said_whatever_its_age(ours):
    parked = event(400, user="nobody")
    assert parked.state == EventState.PARKED
    assert removed() == {}


def test_an_emptied_event_says_so_and_cannot_be_replayed(client, ours):
    ignored = event(201, kind="unknown.type")
    assert ignored.state == EventState.IGNORED
    services.prune()
    ignored.refresh_from_db()
    with pytest.raises(NotReplayable, match="emptied"):
        replay_event(event_id=ignored.pk, actor=StaffFactory(), reason="once more")
    client.force_login(StaffFactory(permissions=["billing.view_stripeevent"]))
    html = client.get(reverse("admin:billing_stripeevent_change", args=[ignored.pk])).content.decode()
    assert f"SHA-256 {ignored.body_sha256}" in html


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ("", "UPDATE billing_stripeevent SET body_sha256 = repeat('0', 64), body = '', payload = NULL"),
        ("", "UPDATE billing_stripeevent SET body_sha256 = repeat('0', 64)"),
        ("prune", "UPDATE billing_stripeevent SET body_sha256 = ''"),
        ("prune", "UPDATE billing_stripeevent SET body_sha256 = repeat('0', 64)"),
        ("prune", "UPDATE billing_stripeevent SET body = 'something else'"),
        ("prune", "UPDATE billing_stripeevent SET payload = '{}'"),
        ("empty", "UPDATE billing_stripeevent SET body_sha256 = repeat('0', 64)"),
    ],
)
def test_the_hash_is_the_true_one_and_is_written_once_also_by_the_owner(ours, before, statement):
    event(201)
    if before == "prune":
        services.prune()
    if before == "empty":
        StripeEvent.objects.update(body=b"", payload=None)
    refused = pytest.raises(psycopg.errors.RestrictViolation, match="evidence")
    with databases.owner_connection(connection.settings_dict["NAME"]) as owner, refused:
        owner.execute(statement)
