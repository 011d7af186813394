"""Replay: shown first, done by those who may, audited, and only where it can change something."""

import uuid

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from billing.models import EventState, Payment, StripeEvent
from billing.services.processing import process_event
from billing.tests.flow import deliver, page_of, payment, post, text_of
from billing.tests.stripe_bodies import (
    encoded,
    intent_succeeded,
    payment_intent,
)
from jobs.models import Job, JobState
from jobs.services import run_job
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def replayer(client):
    member = StaffFactory(permissions=["billing.view_stripeevent", "billing.replay_stripeevent"])
    client.force_login(member)
    return member


@pytest.fixture
def parked():
    (stored,) = deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "100"})))
    assert stored.state == EventState.PARKED
    return stored


def replay_of(stored):
    return reverse("admin:billing_stripeevent_replay", args=[stored.pk])


def filled(**more):
    return {"reason": "The customer is here now", "token": str(uuid.uuid4()), **more}


def test_a_replay_shows_what_it_does_and_does_nothing_before_it_is_confirmed(client, replayer, parked):
    CustomerFactory(external_id="u_ada")
    assert f'href="{replay_of(parked)}"' in client.get(page_of(parked)).content.decode()
    response = client.post(replay_of(parked), filled())
    assert "processed once more" in text_of(response)
    assert not Payment.objects.exists()


def test_a_replay_processes_the_event_and_is_audited(client, replayer, parked):
    customer = CustomerFactory(external_id="u_ada")
    response = client.post(replay_of(parked), filled(confirm="yes"), follow=True)
    assert "has taken effect" in text_of(response)
    parked.refresh_from_db()
    assert (parked.state, parked.error, parked.attempts) == (EventState.PROCESSED, "", 2)
    assert payment().user_id == customer.pk
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.reason) == (
        "billing.replay_event",
        replayer.pk,
        "The customer is here now",
    )
    assert (entry.resource_type, entry.resource_id) == ("billing.stripeevent", str(parked.pk))
    assert entry.resource_label == parked.stripe_id
    assert entry.old_values["state"] == "parked"
    assert "Replay event" not in text_of(client.get(page_of(parked)))


@pytest.mark.parametrize("may_read_the_audit", [True, False])
def test_who_replayed_an_event_is_told_to_those_who_may_read_the_audit_log(
    client, replayer, parked, may_read_the_audit
):
    client.post(replay_of(parked), filled(confirm="yes"))
    more = ["audit.view_auditentry"] if may_read_the_audit else []
    client.force_login(StaffFactory(permissions=["billing.view_stripeevent", *more]))
    page = text_of(client.get(page_of(parked)))
    assert (f"by {replayer.email}: The customer is here now" in page) is may_read_the_audit
    assert ("Replayed" in page) is may_read_the_audit


def test_a_replay_in_vain_says_why(client, replayer, parked):
    response = client.post(replay_of(parked), filled(confirm="yes"), follow=True)
    assert "u_ada" in text_of(response)
    parked.refresh_from_db()
    assert (parked.state, parked.attempts) == (EventState.PARKED, 2)


@pytest.mark.parametrize("state", [EventState.FAILED, EventState.IGNORED])
def test_failed_and_ignored_events_can_be_replayed(client, replayer, customer, state):
    intent = payment_intent(metadata={"user_id": "u_ada", "credits": "100"})
    post(encoded(intent_succeeded(intent)))
    rest = None if state == EventState.FAILED else clock.now()
    StripeEvent.objects.update(state=state, processed_at=rest, next_attempt_at=None)
    client.post(replay_of(StripeEvent.objects.get()), filled(confirm="yes"))
    assert StripeEvent.objects.get().state == EventState.PROCESSED
    assert payment().credits_purchased == 100


def test_an_event_that_took_effect_cannot_be_replayed(client, replayer, customer):
    (stored,) = deliver(intent_succeeded(payment_intent(metadata={"user_id": "u_ada", "credits": "100"})))
    assert replay_of(stored) not in client.get(page_of(stored)).content.decode()
    for form in (filled(), filled(confirm="yes")):
        assert "processed cannot be replayed" in text_of(client.post(replay_of(stored), form))
    assert not AuditEntry.objects.exists()
    stored.refresh_from_db()
    assert stored.attempts == 1


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_a_replay_needs_a_reason(client, replayer, parked, reason):
    response = client.post(replay_of(parked), filled(reason=reason, confirm="yes"))
    assert response.context["form"].errors["reason"]
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_replay_needs_its_permission(client, reader, parked, method):
    assert replay_of(parked) not in client.get(page_of(parked)).content.decode()
    assert getattr(client, method)(replay_of(parked), filled(confirm="yes")).status_code == 403
    parked.refresh_from_db()
    assert (parked.state, parked.attempts) == (EventState.PARKED, 1)


def test_a_replay_needs_the_token_of_the_form(replayer, parked):
    from django.test import Client  # noqa: PLC0415

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(replayer)
    assert strict.post(replay_of(parked), filled(confirm="yes")).status_code == 403
    assert not AuditEntry.objects.exists()


def test_an_event_that_is_gone_is_not_found(client, replayer):
    assert client.post(reverse("admin:billing_stripeevent_replay", args=[10**12]), filled()).status_code == 404


def events_list():
    return reverse("admin:billing_stripeevent_changelist")


def choose(client, *events):
    """Choose rows of the list for a replay; where that leads."""
    response = client.post(events_list(), {"action": "replay_chosen", "_selected_action": [each.pk for each in events]})
    assert response.status_code == 302
    return response["Location"]


@pytest.fixture
def several(replayer, customer):
    """Two events that are parked, and one that took effect."""
    unknown = [payment_intent(metadata={"user_id": "u_later", "credits": "100"}) for _ in range(2)]
    known = payment_intent(metadata={"user_id": "u_ada", "credits": "100"})
    return deliver(*(intent_succeeded(each) for each in (*unknown, known)))


def test_many_events_are_replayed_by_a_job_after_the_effect_was_shown(client, replayer, several):
    prepare = choose(client, *several)
    page = " ".join(text_of(client.post(prepare, filled())).split())
    assert "2 payment_intent.succeeded now parked or failed then processed once more" in page
    assert "Left out 1 that need no replay" in page
    CustomerFactory(external_id="u_later")
    assert Payment.objects.count() == 1
    client.post(prepare, filled(confirm="yes"))
    job = Job.objects.get()
    run_job(job_id=job.pk)
    for event_id in StripeEvent.objects.filter(state=EventState.RECEIVED).values_list("pk", flat=True):
        process_event(event_id=event_id)
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert Payment.objects.count() == 3
    job.refresh_from_db()
    assert (job.state, job.done, job.refused) == (JobState.DONE, 3, 1)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.reason) == ("jobs.start", replayer.pk, "The customer is here now")


def test_a_replay_of_many_is_its_drafters_alone_and_begins_once(client, several):
    prepare = choose(client, *several)
    assert client.get(prepare).status_code == 200
    for _ in range(2):
        client.post(prepare, filled(confirm="yes"))
    assert Job.objects.count() == AuditEntry.objects.count() == 1
    assert client.get(prepare)["Location"] == reverse("admin:jobs_job_change", args=[Job.objects.get().pk])
    client.force_login(StaffFactory(permissions=["billing.view_stripeevent", "billing.replay_stripeevent"]))
    assert client.get(prepare).status_code == 404


def test_the_list_offers_no_replay_to_who_may_not(client, reader, several):
    client.force_login(reader)
    assert "replay_chosen" not in client.get(events_list()).content.decode()
    client.post(events_list(), {"action": "replay_chosen", "_selected_action": [several[0].pk]})
    assert not Job.objects.exists()


@pytest.mark.parametrize("chosen", ["x", "1'", "-1", "9" * 30, ""])
def test_what_is_no_row_cannot_be_chosen(client, replayer, chosen):
    response = client.post(events_list(), {"action": "replay_chosen", "_selected_action": [chosen]})
    assert response.status_code == 400
    assert not Job.objects.exists()
