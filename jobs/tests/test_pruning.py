"""What is kept for a time only: removed when its time is over, in pieces, and never what is still wanted."""

from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command

from accounts.models import ActivityEvent
from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.retention import Retention, retentions
from jobs import services, tasks
from jobs.models import Channel, Delivery, Job, JobItem, JobState, MessageState, OutboxMessage
from jobs.services import forgetting, pruning
from jobs.tests import kinds
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_for(settings):
    settings.RETENTION_ACTIVITY_DAYS = 365
    settings.RETENTION_ADDRESS_DAYS = 90
    settings.RETENTION_MESSAGE_DAYS = 90
    settings.RETENTION_JOB_DAYS = 180
    return settings


def days_ago(days):
    return clock.at(clock.now() - timedelta(days=days))


def act(name, days):
    with days_ago(days):
        ActivityEvent.objects.create(
            event_id=name, action="login", user=CustomerFactory(), ip="203.0.113.7", user_agent="X"
        )


def message(name, days, state=MessageState.SENT, channel=Channel.MAIL):
    with days_ago(days):
        written = services.enqueue(
            key=name,
            channel=channel,
            topic="welcome",
            recipient="ada@example.com",
            subject="s",
            body="b",
            payload={"user": "u_1"},
        )
    sent_at = clock.now() if state == MessageState.SENT else None
    OutboxMessage.objects.filter(pk=written.pk).update(state=state, sent_at=sent_at, last_error="why")
    Delivery.objects.create(message=written, ok=True, took_ms=1, answer="Dear Ada")
    return written


def job(days, state=JobState.DONE):
    with days_ago(days):
        ended = clock.now() if state == JobState.DONE else None
        made = Job.objects.create(kind="test.name", state=state, finished_at=ended, total=2, done=2)
    JobItem.objects.bulk_create(JobItem(job=made, target_id=target, state="done") for target in (1, 2))
    return made


def counts():
    return {pruned.retention.key: pruned.count for pruned in services.prune() if pruned.count}


def test_acts_go_after_their_time_and_their_addresses_sooner():
    act("young", 89)
    act("middle", 91)
    act("old", 366)
    assert counts() == {"activity": 1, "addresses": 1}
    known = dict(ActivityEvent.objects.values_list("event_id", "user_agent"))
    assert known == {"young": "X", "middle": ""}
    assert ActivityEvent.objects.get(event_id="middle").ip is None
    assert counts() == {}


def test_what_messages_said_goes_and_that_they_were_sent_stays():
    old, young = message("old", 91), message("young", 89)
    waits = message("waits", 91, state=MessageState.PENDING)
    assert counts() == {"messages": 1}
    old.refresh_from_db()
    assert (old.key, old.topic, old.state) == ("old", "welcome", MessageState.SENT)
    assert (old.recipient, old.subject, old.body, old.payload, old.last_error) == ("", "", "", {}, "")
    assert old.forgotten_at is not None
    assert not old.deliveries.exists()
    for kept in (young, waits):
        kept.refresh_from_db()
        assert (kept.body, kept.deliveries.count(), kept.forgotten_at) == ("b", 1, None)
    # It is known for good that this was told.
    assert message("old", 0).pk == old.pk


def test_what_ended_jobs_were_done_to_goes_and_the_job_stays():
    old, older, young, running = job(181), job(300), job(179), job(400, state=JobState.RUNNING)
    assert counts() == {"job-items": 4}
    assert set(JobItem.objects.values_list("job_id", flat=True)) == {young.pk, running.pk}
    for emptied in (old, older):
        emptied.refresh_from_db()
        assert (emptied.total, emptied.done) == (2, 2)


def test_failed_logins_go_with_their_addresses():
    for name, days in (("old", 91), ("young", 89)):
        AccessAttempt.objects.create(username=name, ip_address="203.0.113.7", failures_since_start=1)
        AccessAttempt.objects.filter(username=name).update(attempt_time=clock.now() - timedelta(days=days))
    assert counts() == {"failed-logins": 1}
    assert AccessAttempt.objects.get().username == "young"


def test_zero_days_keep_it_for_ever(kept_for):
    kept_for.RETENTION_ACTIVITY_DAYS = kept_for.RETENTION_ADDRESS_DAYS = 0
    act("old", 5000)
    assert counts() == {}
    assert "kept for ever (RETENTION_ACTIVITY_DAYS=0)" in run("--dry-run")


def run(*options):
    out = StringIO()
    call_command("prune", *options, stdout=out)
    return out.getvalue()


def test_a_dry_run_counts_and_changes_nothing():
    act("old", 366)
    message("old", 91)
    said = run("--dry-run")
    assert "What customers did: 1 would be removed, older than" in said
    assert "What messages said and to whom: 1 would be removed" in said
    assert ActivityEvent.objects.count() == 1
    assert OutboxMessage.objects.get().body == "b"
    assert not AuditEntry.objects.filter(action__startswith="retention.").exists()
    assert "What customers did: 1 removed" in run()
    assert "What customers did: 0 removed" in run()


def test_the_audit_log_tells_what_was_removed_and_by_which_rule_and_of_nothing_nothing():
    message("old", 91)
    services.prune()
    services.prune()
    entries = list(AuditEntry.objects.filter(action__startswith="retention.").order_by("id"))
    assert [entry.action for entry in entries] == ["retention.begin", "retention.finish"]
    told = entries[1].new_values
    assert (told["RETENTION_MESSAGE_DAYS"], told["removed"]) == (90, 1)
    assert entries[1].resource_id == "messages"


def test_it_goes_in_pieces_and_a_stop_in_between_is_made_good_by_the_next_run(monkeypatch):
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    for number in range(7):
        act(f"old{number}", 366)
    seen = []

    def stop_halfway(retention, removed):
        seen.append(removed)
        if removed == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.prune(stop_halfway)
    assert (seen, ActivityEvent.objects.count()) == ([4], 3)
    [begun] = AuditEntry.objects.filter(action__startswith="retention.")
    assert begun.action == "retention.begin"
    assert counts() == {"activity": 3}


def test_a_removal_that_fails_leaves_the_first_piece_and_the_audit_log_as_they_were():
    def breaks(before, limit):
        forgetting.remove_contents(before, limit)
        raise ZeroDivisionError

    message("old", 91)
    step = Retention(
        key="test", label="Test", setting="RETENTION_MESSAGE_DAYS", count=lambda before: 1, remove=breaks, order=1
    )
    with kinds.offered(retentions, step), pytest.raises(ZeroDivisionError):
        services.prune()
    assert OutboxMessage.objects.get().body == "b"
    assert not AuditEntry.objects.filter(action__startswith="retention.").exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_remove_each_thing_once(monkeypatch):
    monkeypatch.setattr(pruning, "AT_ONCE", 3)
    for number in range(20):
        act(f"old{number}", 366)
        message(f"old{number}", 91)
    act("young", 1)
    results = at_once([tasks.prune] * 3)
    assert results == [None] * 3
    finished = AuditEntry.objects.filter(action="retention.finish").values_list("resource_id", "new_values")
    removed = {}
    for key, told in finished:
        removed[key] = removed.get(key, 0) + told["removed"]
    assert removed == {"activity": 20, "messages": 20}
    assert ActivityEvent.objects.get().event_id == "young"
