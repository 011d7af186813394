"""Outbox and jobs with a Redis that goes and workers that are killed: late perhaps, twice perhaps, lost never."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import redis
from celery import current_app
from django.conf import settings as project
from django.db import connection

from accounts.admin.bulk_acts import BAN_MANY
from accounts.models import StatusChange, User
from backoffice.lib import clock, embedded
from jobs import services, tasks
from jobs.models import Channel, Delivery, Job, JobState, MessageState, OutboxMessage
from jobs.services.delivery import LEASE, MOST_ATTEMPTS
from jobs.services.work import NUDGE_PATIENCE
from jobs.tests import kinds
from jobs.tests.product import listening, says
from tests import databases
from tests.factories import StaffFactory
from tests.stack import data_directory

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a-secret-of-the-product"
DELIVER = "import django; django.setup(); from jobs import tasks; tasks.deliver_message({pk}, {attempts})"


def written(key="k"):
    return services.enqueue(key=key, channel=Channel.WEBHOOK, topic="user.banned", payload={"user": "u_1"})


def later(message, **changes):
    """The message as it is once what everybody waits for is over."""
    OutboxMessage.objects.filter(pk=message.pk).update(next_attempt_at=clock.now() - LEASE, **changes)


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def is_sent(message):
    return OutboxMessage.objects.filter(pk=message.pk, state=MessageState.SENT).exists()


def environment(product, broker=""):
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "BACKOFFICE_ENV": "development",
        "DATABASE_URL": databases.on_database(databases.app_url(), project.DATABASES["default"]["NAME"]),
        "PRODUCT_WEBHOOK_URL": product.url,
        "PRODUCT_WEBHOOK_SECRETS": SECRET,
        "REDIS_URL": broker or "redis://127.0.0.1:1",
    }


@contextmanager
def program(product, *arguments, broker=""):
    """A process of ours that works on the test's database; killed at the end, if it was not before."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=databases.REPOSITORY,
        env=environment(product, broker),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def broker(monkeypatch):
    """A Redis of the test's own, which nudges go to."""
    with data_directory() as folder, embedded.running(folder, postgres=False, redis=True) as urls:
        address = urls.redis.replace("unix://", "redis+socket://", 1)
        monkeypatch.setattr(current_app.conf, "broker_url", address)
        yield urls.redis


@pytest.fixture
def worker(broker):
    @contextmanager
    def start(product):
        celery = ["-m", "celery", "-A", "backoffice", "worker", "--pool", "solo", "--without-gossip"]
        with program(product, *celery, broker=broker) as process:
            yield process

    return start


def test_a_worker_sends_what_it_is_nudged_for_and_what_redis_forgot_goes_out_with_the_sweep(broker, worker):
    nudged, forgotten = written("nudged"), written("forgotten")
    queue = redis.Redis.from_url(broker)
    assert queue.llen("celery") == 2
    queue.flushall()
    tasks.deliver_message.delay(nudged.pk, 0)
    with listening() as product, worker(product):
        until(lambda: is_sent(nudged))
        assert not is_sent(forgotten)
        tasks.sweep_outbox()
        assert not is_sent(forgotten)
        later(forgotten)
        tasks.sweep_outbox()
        until(lambda: is_sent(forgotten))
        assert [json.loads(body)["id"] for body, _ in product.got] == [nudged.pk, forgotten.pk]


def test_jobs_and_messages_that_redis_forgot_are_done_by_the_sweeps(broker, worker):
    clerk, targets = StaffFactory(permissions=["accounts.ban_user"]), kinds.customers(3)
    draft = services.draft_job(kind=BAN_MANY, actor=clerk, targets=User.objects.filter(pk__in=targets))
    job = services.start_draft(job_id=draft.pk, actor=clerk, params={"until": None}, reason="fraud")
    message = written()
    queue = redis.Redis.from_url(broker)
    assert queue.llen("celery") == 2
    queue.flushall()
    with listening() as product, worker(product):
        tasks.sweep_jobs()
        assert queue.llen("celery") == 0, "a nudge that may still be under way is not taken for lost"
        Job.objects.filter(pk=job.pk).update(queued_at=clock.now() - NUDGE_PATIENCE)
        later(message)
        tasks.sweep_jobs()
        tasks.sweep_outbox()
        until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE)
        # Each ban is told of by a message of its own.
        until(lambda: OutboxMessage.objects.filter(state=MessageState.SENT).count() == 4)
    job.refresh_from_db()
    assert (job.done, job.refused, job.attempts) == (3, 0, 1)
    assert list(StatusChange.objects.order_by("user_id").values_list("user_id", flat=True)) == targets
    assert sorted(json.loads(body)["id"] for body, _ in product.got) == sorted(
        OutboxMessage.objects.values_list("pk", flat=True)
    )


def test_without_redis_a_message_is_written_all_the_same_and_sent_once_it_is_back(broker, worker, monkeypatch):
    with monkeypatch.context() as gone:
        gone.setattr(current_app.conf, "broker_url", "redis+socket:///nowhere/redis.sock")
        message = written()
        later(message)
        # The sweep too finds nobody to hand it to; it is due again when the lease is over.
        tasks.sweep_outbox()
    later(message)
    tasks.sweep_outbox()
    with listening() as product, worker(product):
        until(lambda: is_sent(message))
        assert len(product.got) == 1


def test_a_worker_killed_in_mid_send_leaves_the_message_to_the_next_which_sends_it_with_the_same_id():
    message = written()
    with listening(lambda handler: time.sleep(3)) as product:
        with program(product, "-c", DELIVER.format(pk=message.pk, attempts=0)) as process:
            until(lambda: product.got)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        message.refresh_from_db()
        assert (message.state, message.attempts) == (MessageState.PENDING, 1)
        # Nobody knows yet that the worker is gone.
        assert services.claim_due_messages(limit=10) == []
        later(message)
        [(pk, attempts)] = services.claim_due_messages(limit=10)
        product.answer = says(200)
        with program(product, "-c", DELIVER.format(pk=pk, attempts=attempts)) as process:
            assert process.wait(timeout=30) == 0
        assert is_sent(message)
        (first, _), (second, _) = product.got
        assert first == second
    outcomes = Delivery.objects.order_by("id").values_list("ok", "status_code")
    assert list(outcomes) == [(None, None), (True, 200)]


def test_a_message_over_which_each_worker_dies_is_given_up():
    message = written()
    later(message, attempts=MOST_ATTEMPTS)
    [(pk, attempts)] = services.claim_due_messages(limit=10)
    services.deliver_message(message_id=pk, attempts=attempts)
    message.refresh_from_db()
    assert (message.state, message.last_error) == (MessageState.DEAD, "Its worker was lost at the last attempt.")


@pytest.mark.parametrize("second_answer", [200, 503])
def test_an_attempt_that_outlasts_its_lease_does_not_undo_what_a_later_one_did(settings, second_answer):
    message = written()
    with listening() as product:
        settings.PRODUCT_WEBHOOK_URL, settings.PRODUCT_WEBHOOK_SECRETS = product.url, [SECRET]

        def overtaken(handler):
            # While the first attempt waits for its answer, the second is made.
            product.answer = says(second_answer)
            later(message)
            [(pk, attempts)] = services.claim_due_messages(limit=10)
            services.deliver_message(message_id=pk, attempts=attempts)
            connection.close()
            says(500)(handler)

        product.answer = overtaken
        services.deliver_message(message_id=message.pk, attempts=0)
    message.refresh_from_db()
    assert (message.state == MessageState.SENT) == (second_answer == 200)
    assert message.last_error == ("" if second_answer == 200 else "503: ")
    assert sorted(Delivery.objects.values_list("status_code", flat=True)) == sorted([500, second_answer])
