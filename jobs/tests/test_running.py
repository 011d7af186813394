"""Jobs as workers run them: once, in pieces, from where they stopped."""

import multiprocessing
import os
import signal
import time

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections, transaction

from accounts.models import User
from audit.models import AuditEntry
from backoffice.lib.work import ItemOutcome, JobKind, job_kinds
from jobs import services, tasks
from jobs.errors import NotAllowed, UnknownKind, WrongState
from jobs.models import Job, JobItem, JobState
from jobs.services.results import open_result
from jobs.services.running import MOST_ATTEMPTS
from jobs.tests import kinds
from tests.databases import app_url, on_database
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def drafted(clerk, targets, **params):
    job = services.draft_job(kind="test.name", actor=clerk, targets=User.objects.filter(pk__in=targets))
    return services.start_draft(job_id=job.pk, actor=clerk, params={"name": "Ada", **params}, reason="a test")


def names(targets):
    return list(User.objects.filter(pk__in=targets).order_by("pk").values_list("full_name", flat=True))


def test_a_job_is_done_to_the_targets_chosen_for_it_and_counts_them(naming, clerk):
    targets = kinds.customers(7)
    stranger = CustomerFactory(full_name="Grace")
    job = drafted(clerk, targets)
    assert (job.state, job.total) == (JobState.QUEUED, 7)
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.refused, job.percent) == (JobState.DONE, 7, 0, 100)
    assert names(targets) == ["Ada"] * 7
    stranger.refresh_from_db()
    assert stranger.full_name == "Grace"


def test_a_refused_target_stays_as_it_was_and_says_why(naming, clerk):
    stubborn = CustomerFactory(full_name="Stubborn").pk
    job = drafted(clerk, [*kinds.customers(2), stubborn])
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.refused) == (JobState.DONE, 3, 1)
    item = JobItem.objects.get(job=job, target_id=stubborn)
    assert (item.state, item.note) == ("refused", "is stubborn")
    assert names([stubborn]) == ["Stubborn"]


def test_a_finished_job_told_again_does_nothing(naming, clerk):
    targets = kinds.customers(2)
    job = drafted(clerk, targets)
    services.run_job(job_id=job.pk)
    User.objects.filter(pk__in=targets).update(full_name="Later")
    services.run_job(job_id=job.pk)
    assert names(targets) == ["Later", "Later"]


def test_a_job_that_fails_halfway_keeps_what_was_done_and_goes_on_from_there(clerk):
    seen = []

    def do(job, targets):
        seen.append(list(targets))
        if len(seen) == 2:
            raise ZeroDivisionError
        return [ItemOutcome(target) for target in targets]

    targets = kinds.customers(5)
    with kinds.offered(job_kinds, kinds.naming(do=do)):
        job = drafted(clerk, targets)
        services.run_job(job_id=job.pk)
        job.refresh_from_db()
        assert (job.state, job.done) == (JobState.FAILED, 3)
        assert "ZeroDivisionError" in job.error
        services.retry_job(job_id=job.pk, actor=clerk)
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.error) == (JobState.DONE, 5, "")
    assert seen == [targets[:3], targets[3:], targets[3:]]


def test_a_refusal_of_the_whole_work_is_told_in_its_own_words(clerk):
    def whole(job):
        raise kinds.Refused("There is no such file.")

    kind = JobKind(key="test.whole", label="Whole", permission=kinds.PERMISSION, whole=whole, refusals=(kinds.Refused,))
    with kinds.offered(job_kinds, kind):
        job = services.create_job(kind="test.whole", actor=clerk)
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, "There is no such file.")


def test_a_canceled_job_stops_before_its_next_targets(clerk):
    def do(job, targets):
        services.cancel_job(job_id=job.id, actor=clerk)
        return [ItemOutcome(target) for target in targets]

    with kinds.offered(job_kinds, kinds.naming(do=do)):
        job = drafted(clerk, kinds.customers(5))
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.CANCELED, 3)


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"is_staff": False}], ids=str)
def test_a_job_is_not_begun_for_somebody_who_was_shut_out_since(naming, clerk, change):
    targets = kinds.customers(2)
    job = drafted(clerk, targets)
    User.objects.filter(pk=clerk.pk).update(**change)
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.FAILED, 0)
    assert job.error == f"{clerk.email} may not do this any more. What was done before stays done."
    assert "Ada" not in names(targets)


def test_a_job_stops_before_its_next_targets_when_whoever_began_it_loses_the_right_to(clerk):
    def do(job, targets):
        User.objects.get(pk=clerk.pk).user_permissions.clear()
        return [ItemOutcome(target) for target in targets]

    with kinds.offered(job_kinds, kinds.naming(do=do)):
        job = drafted(clerk, kinds.customers(7))
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.FAILED, 3)


def test_work_that_does_all_at_once_is_stopped_by_a_lost_right_at_its_next_note(clerk):
    def whole(job):
        job.progress(1)
        User.objects.get(pk=clerk.pk).user_permissions.clear()
        job.progress(2)
        raise AssertionError("went on")

    with kinds.offered(job_kinds, kinds.naming(do=None, whole=whole)):
        job = services.create_job(kind="test.name", actor=clerk)
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "may not do this any more" in job.error


def test_what_was_taken_back_is_not_gone_on_with(clerk):
    def do(job, targets):
        if job.params.get("fails") and JobItem.objects.filter(job=job.id, state="done").exists():
            raise ValueError("halfway")
        return [ItemOutcome(target) for target in targets]

    with kinds.offered(job_kinds, kinds.naming(do=do, undo="test.name")):
        job = drafted(clerk, kinds.customers(7), fails=True)
        services.run_job(job_id=job.pk)
        services.undo_job(job_id=job.pk, actor=clerk, reason="a mistake")
        with pytest.raises(WrongState, match="taken back"):
            services.retry_job(job_id=job.pk, actor=clerk)


def test_a_queued_job_that_is_canceled_never_begins(naming, clerk):
    targets = kinds.customers(1)
    job = drafted(clerk, targets)
    services.cancel_job(job_id=job.pk, actor=clerk)
    services.run_job(job_id=job.pk)
    assert names(targets) != ["Ada"]
    with pytest.raises(WrongState):
        services.cancel_job(job_id=job.pk, actor=clerk)


@pytest.fixture
def results(settings, tmp_path):
    """The files that jobs leave behind, in a folder of the test."""
    settings.STORAGES = settings.STORAGES | {
        "results": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    return lambda: [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_result_can_be_read_after_the_job_and_is_deleted_when_its_time_is_over(clerk, results):
    def whole(job):
        with job.result("list.csv") as file:
            file.write(b"a,b\n")
        job.say("One line.")

    kind = JobKind(key="test.whole", label="Whole", permission=kinds.PERMISSION, whole=whole)
    with kinds.offered(job_kinds, kind):
        job = services.create_job(kind="test.whole", actor=clerk)
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.message, job.result_name) == (JobState.DONE, "One line.", "list.csv")
    with open_result(job) as file:
        assert file.read() == b"a,b\n"
    Job.objects.update(result_until="2026-01-01T00:00:00Z")
    tasks.sweep_jobs()
    job.refresh_from_db()
    assert (job.result_file, job.result_until) == ("", None)
    assert results() == []


def test_a_result_takes_the_place_of_that_of_a_worker_that_was_lost(clerk, results):
    written = []

    def whole(job):
        with job.result("list.csv") as file:
            file.write(b"a,b\n")
        written.append(job.id)
        if len(written) == 1:
            raise OperationalError("the connection is lost")

    kind = JobKind(key="test.whole", label="Whole", permission=kinds.PERMISSION, whole=whole)
    with kinds.offered(job_kinds, kind):
        job = services.create_job(kind="test.whole", actor=clerk)
        with pytest.raises(OperationalError):
            services.run_job(job_id=job.pk)
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, len(written), len(results())) == (JobState.DONE, 2, 1)
    with open_result(job) as file:
        assert file.read() == b"a,b\n"


def test_nobody_starts_work_without_its_permission_nor_anothers_draft(naming, clerk):
    stranger, colleague = StaffFactory(), StaffFactory(permissions=[kinds.PERMISSION])
    everybody = User.objects.filter(pk__in=kinds.customers(1))
    with pytest.raises(NotAllowed):
        services.draft_job(kind="test.name", actor=stranger, targets=everybody)
    with pytest.raises(NotAllowed):
        services.create_job(kind="test.name", actor=stranger)
    with pytest.raises(UnknownKind):
        services.create_job(kind="test.unknown", actor=clerk)
    job = services.draft_job(kind="test.name", actor=clerk, targets=everybody)
    with pytest.raises(NotAllowed):
        services.start_draft(job_id=job.pk, actor=colleague, params={}, reason="mine now")
    with pytest.raises(NotAllowed):
        services.cancel_job(job_id=job.pk, actor=colleague)


def test_a_draft_for_nobody_cannot_be_started(naming, clerk):
    job = services.draft_job(kind="test.name", actor=clerk, targets=User.objects.none())
    with pytest.raises(WrongState):
        services.start_draft(job_id=job.pk, actor=clerk, params={}, reason="nobody")


def test_starting_twice_starts_once_and_is_audited_once(naming, clerk):
    job = drafted(clerk, kinds.customers(2))
    again = services.start_draft(job_id=job.pk, actor=clerk, params={"name": "Other"}, reason="again")
    assert (again.params, again.reason) == ({"name": "Ada"}, "a test")
    [entry] = AuditEntry.objects.filter(action="jobs.start")
    assert (entry.actor_id, entry.reason, entry.new_values["total"]) == (clerk.pk, "a test", 2)
    first = services.create_job(kind="test.name", actor=clerk, token="one")
    assert services.create_job(kind="test.name", actor=clerk, token="one").pk == first.pk


def test_work_on_many_that_cannot_be_audited_does_not_begin(naming, clerk, monkeypatch):
    targets = kinds.customers(2)
    draft = services.draft_job(kind="test.name", actor=clerk, targets=User.objects.filter(pk__in=targets))

    def fail(**_):
        raise ZeroDivisionError("the log is full")

    monkeypatch.setattr("audit.services.record", fail)
    with pytest.raises(ZeroDivisionError):
        services.start_draft(job_id=draft.pk, actor=clerk, params={"name": "Ada"}, reason="a test")
    with pytest.raises(ZeroDivisionError):
        services.create_job(kind="test.name", actor=clerk)
    assert list(Job.objects.values_list("pk", "state")) == [(draft.pk, JobState.DRAFT)]
    services.run_job(job_id=draft.pk)
    assert "Ada" not in names(targets)


def test_undoing_takes_back_what_was_done_and_only_that_once(clerk):
    def undo(job, targets):
        User.objects.filter(pk__in=targets).update(full_name="Before")
        return [ItemOutcome(target) for target in targets]

    with (
        kinds.offered(job_kinds, kinds.naming(undo="test.unname")),
        kinds.offered(job_kinds, kinds.naming(key="test.unname", do=undo)),
    ):
        stubborn = CustomerFactory(full_name="Stubborn").pk
        targets = kinds.customers(2)
        job = drafted(clerk, [*targets, stubborn])
        with pytest.raises(WrongState):
            services.undo_job(job_id=job.pk, actor=clerk, reason="too early")
        services.run_job(job_id=job.pk)
        undoing = services.undo_job(job_id=job.pk, actor=clerk, reason="a mistake")
        assert services.undo_job(job_id=job.pk, actor=clerk, reason="again").pk == undoing.pk
        services.run_job(job_id=undoing.pk)
    assert undoing.total == 2
    assert names(targets) == ["Before", "Before"]
    assert names([stubborn]) == ["Stubborn"]


def test_drafts_that_nobody_confirmed_are_forgotten_after_a_day(naming, clerk):
    old = services.draft_job(kind="test.name", actor=clerk, targets=User.objects.filter(pk__in=kinds.customers(1)))
    new = services.draft_job(kind="test.name", actor=clerk, targets=User.objects.none())
    Job.objects.filter(pk=old.pk).update(created_at="2026-01-01T00:00:00Z")
    assert services.drop_drafts() == 1
    assert list(Job.objects.values_list("pk", flat=True)) == [new.pk]
    assert not JobItem.objects.exists()


def test_the_sweep_finds_what_no_nudge_reached_and_leaves_fresh_jobs_to_theirs(naming, clerk):
    lost, fresh = drafted(clerk, kinds.customers(1)), drafted(clerk, kinds.customers(1))
    Job.objects.filter(pk=lost.pk).update(queued_at="2026-01-01T00:00:00Z")
    assert services.due_jobs() == [lost.pk]
    assert fresh.pk not in services.due_jobs()


def test_a_job_over_which_workers_keep_dying_is_given_up(naming, clerk):
    job = drafted(clerk, kinds.customers(1))
    Job.objects.filter(pk=job.pk).update(attempts=MOST_ATTEMPTS, state="running")
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED


def test_a_long_job_that_gets_on_outlives_any_number_of_workers(clerk):
    def do(job, targets):
        died.append(targets[0])
        if len(died) % 2 == 0:
            raise OperationalError("the connection is lost")
        return [ItemOutcome(target) for target in targets]

    died = []
    with kinds.offered(job_kinds, kinds.naming(do=do, at_once=1)):
        job = drafted(clerk, kinds.customers(MOST_ATTEMPTS + 2))
        for _ in range(MOST_ATTEMPTS + 1):
            with pytest.raises(OperationalError):
                services.run_job(job_id=job.pk)
        services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.DONE, MOST_ATTEMPTS + 2)


@pytest.mark.django_db(transaction=True)
def test_many_workers_told_of_one_job_do_it_once():
    calls = []

    def do(job, targets):
        calls.extend(targets)
        time.sleep(0.02)
        return [ItemOutcome(target) for target in targets]

    clerk, targets = StaffFactory(permissions=[kinds.PERMISSION]), kinds.customers(9)
    with kinds.offered(job_kinds, kinds.naming(do=do)):
        job = drafted(clerk, targets)
        at_once([lambda: tasks.run_job(job.pk)] * 6)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.DONE, 9)
    assert sorted(calls) == targets


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_a_long_transaction_is_under_way():
    seen = []

    def whole(job):
        with transaction.atomic():
            User.objects.count()
            job.progress(40, 100)
            with psycopg.connect(on_database(app_url(), settings.DATABASES["default"]["NAME"])) as other:
                seen.append(other.execute("SELECT done, total FROM jobs_job").fetchone())

    kind = JobKind(key="test.whole", label="Whole", permission=kinds.PERMISSION, whole=whole)
    with kinds.offered(job_kinds, kind):
        job = services.create_job(kind="test.whole", actor=StaffFactory(permissions=[kinds.PERMISSION]))
        services.run_job(job_id=job.pk)
    assert seen == [(40, 100)]


def _work_slowly(job_id, database):
    """A worker that will be killed in the middle of its second few targets."""
    settings.DATABASES["default"]["NAME"] = database
    connections["default"].settings_dict["NAME"] = database
    named = kinds.naming()

    def do(job, targets):
        outcomes = named.do(job, targets)
        if User.objects.filter(full_name="Ada").count() > len(targets):
            time.sleep(60)
        return outcomes

    del job_kinds._entries[named.key]
    with kinds.offered(job_kinds, kinds.naming(do=do)):
        services.run_job(job_id=job_id)


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_job_goes_on_with_what_it_had_not_done(naming):
    clerk, targets = StaffFactory(permissions=[kinds.PERMISSION]), kinds.customers(7)
    job = drafted(clerk, targets)
    connections.close_all()
    worker = multiprocessing.get_context("fork").Process(
        target=_work_slowly, args=(job.pk, settings.DATABASES["default"]["NAME"])
    )
    worker.start()
    deadline = time.monotonic() + 20
    while Job.objects.get(pk=job.pk).done < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.RUNNING, 3)
    assert names(targets).count("Ada") == 3
    wait_until_the_server_noticed()
    services.run_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.DONE, 7)
    assert names(targets) == ["Ada"] * 7


# Of this database alone: the server's other ones belong to tests that run beside this one.
ADVISORY_LOCKS = (
    "FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)


def wait_until_the_server_noticed():
    # The server learns of the killed worker when it next looks at the socket.
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(f"SELECT count(*) {ADVISORY_LOCKS}")
            if cursor.fetchone() == (0,):
                return
            cursor.execute(f"SELECT pg_terminate_backend(pid) {ADVISORY_LOCKS}")
            time.sleep(0.05)
    raise AssertionError("the killed worker's session lives on")


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_leaves_the_job_to_the_sweep(naming):
    def do(job, targets):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return []

    clerk = StaffFactory(permissions=[kinds.PERMISSION])
    targets = kinds.customers(2)
    job = drafted(clerk, targets)
    with kinds.offered(job_kinds, kinds.naming(key="test.lost", do=do)):
        Job.objects.filter(pk=job.pk).update(kind="test.lost")
        with pytest.raises(OperationalError):
            services.run_job(job_id=job.pk)
    connection.close()
    Job.objects.filter(pk=job.pk).update(kind="test.name", queued_at="2026-01-01T00:00:00Z")
    assert services.due_jobs() == [job.pk]
    services.run_job(job_id=job.pk)
    assert names(targets) == ["Ada", "Ada"]
