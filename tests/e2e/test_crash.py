"""The servers are killed without warning, or restarted in good order, while credits are being written."""

import http.client
import os
import signal
import subprocess
import sys
import time

import psutil
import psycopg
import pytest

from backoffice.lib import embedded
from billing.tests import stripe_bodies
from tests import stack as stacks

WRITE_FOR_EVER = """
import itertools
from decimal import Decimal
from accounts.models import User
from credits.kinds import TransactionKind
from credits.postings import Posting
from credits.services import post_batch
users = [User.objects.create_user(f"writer{n}@example.com").pk for n in range(5)]
print("writing", flush=True)
for turn in itertools.count():
    post_batch([
        Posting(user_id=pk, kind=TransactionKind.GIFT, amount=Decimal(turn + 1), idempotency_key=f"test:{turn}-{pk}")
        for pk in users
    ])
"""


def postmasters_of(data_dir):
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "-D" in (process.info["cmdline"] or []) and any(str(data_dir) in part for part in process.info["cmdline"])
    ]


def postmaster_of(data_dir):
    [pid] = postmasters_of(data_dir)
    return pid


def test_after_kill_9_in_mid_write_the_next_start_recovers_a_ledger_that_proves():
    with stacks.prepared_directory() as data_dir:
        writer = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", WRITE_FOR_EVER],
            cwd=stacks.REPOSITORY,
            env=stacks.environment_for(data_dir),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(1)
        os.kill(postmaster_of(data_dir), signal.SIGKILL)
        _, complaint = writer.communicate(timeout=60)
        assert writer.returncode != 0
        assert b"OperationalError" in complaint
        assert stacks.manage(data_dir, "verify_ledger").startswith("ok: 5 accounts")


GIVE_TO_MANY = """
from accounts.models import StaffMember, User
from jobs.services import draft_job, start_draft
User.objects.bulk_create([User(email=f"customer{n}@example.com", external_id=f"u_{n}") for n in range(6000)])
boss = StaffMember.objects.create(email="boss@example.com", is_staff=True, is_superuser=True)
job = draft_job(kind="credits.gift_many", actor=boss, targets=User.objects.filter(is_staff=False))
start_draft(job_id=job.pk, actor=boss, params={"amount": "5", "expires_at": None}, reason="for the outage")
"""


def until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def is_ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def asked(data_dir, question):
    with psycopg.connect(embedded.urls(data_dir).owner, autocommit=True) as owner:
        return owner.execute(question).fetchone()


def a_payment():
    """The body of an event that a payment succeeded."""
    intent = stripe_bodies.payment_intent(metadata={"user_id": "u_0", "credits": "100"})
    return stripe_bodies.encoded(stripe_bodies.intent_succeeded(intent))


def delivered(stack, body):
    """The status that Stripe is answered with; None if nobody answers at all."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
    signed = stripe_bodies.signature(body, secret=stacks.WEBHOOK_SECRET)
    try:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed}
        connection.request("POST", "/webhooks/stripe/", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@pytest.fixture(scope="module")
def restarted():
    """A product whose PostgreSQL was stopped in good order in the middle of a job, while Stripe delivered.

    How the job stood afterwards, and with what Stripe was answered, delivery by delivery.
    """
    job = "SELECT state, done, total FROM jobs_job"
    body, answers = a_payment(), []
    with stacks.prepared_directory() as data_dir, stacks.running(data_dir, "--no-demo") as stack:
        stack.manage("shell", "--no-imports", "-c", GIVE_TO_MANY)
        until(lambda: asked(data_dir, job)[1] >= 250, 60)
        before = postmaster_of(data_dir)
        # What `pg_ctl stop -m fast` and a service manager send. Whoever runs the product starts it again, and is held
        # back until Stripe has delivered once.
        stack.process.send_signal(signal.SIGSTOP)
        os.kill(before, signal.SIGINT)
        until(lambda: before not in postmasters_of(data_dir), 60)
        answers.append(delivered(stack, body))
        stack.process.send_signal(signal.SIGCONT)
        # Stripe comes again, for days, until it is told that we have it.
        until(lambda: answers.append(delivered(stack, body)) or answers[-1] == 200, 60)
        until(lambda: is_ready(stack.port), 60)
        yield stack, asked(data_dir, job), answers
        assert stack.manage("verify_ledger").startswith("ok: 6000 accounts")
        assert stack.manage("verify_figures").startswith("ok: 6001 customers")


def test_an_orderly_restart_of_postgres_in_the_middle_of_a_job_needs_nobody_and_each_customer_is_given_to_once(
    restarted,
):
    stack, (state, done, total), _ = restarted
    assert state == "running"
    assert 250 <= done < total == 6000
    # The next sweep but one finds the job without a worker.
    job = "SELECT state, done, total FROM jobs_job"
    until(lambda: asked(stack.data_dir, job)[0] != "running", 120)
    assert asked(stack.data_dir, job) == ("done", 6000, 6000)
    gifts = (
        "SELECT count(*), count(DISTINCT account_id), sum(amount) FROM credits_credittransaction WHERE kind = 'gift'"
    )
    assert asked(stack.data_dir, gifts) == (6000, 6000, 30_000)


def test_a_delivery_while_postgres_is_down_is_to_come_again_and_is_then_applied_once(restarted):
    stack, _, answers = restarted
    assert (answers[0], answers[-1]) == (503, 200)
    bought = "SELECT count(*), sum(amount) FROM credits_credittransaction WHERE kind = 'purchase'"
    until(lambda: asked(stack.data_dir, bought) == (1, 100), 120)
    assert asked(stack.data_dir, "SELECT count(*) FROM billing_stripeevent") == (1,)


def test_two_checkouts_run_side_by_side_and_do_not_meet():
    # One of them starts for the first time, with nothing there: it makes all that it needs by itself.
    with stacks.data_directory() as first, stacks.prepared_directory() as second:
        assert list(first.iterdir()) == []
        with stacks.running(first, "--no-demo") as one, stacks.running(second, "--no-demo") as two:
            one.manage(
                "shell", "--no-imports", "-c", "from accounts.models import User as U; U.objects.create_user('a@b.c')"
            )
            count = "from accounts.models import User; print(User.objects.count())"
            assert one.manage("shell", "--no-imports", "-c", count).strip() == "1"
            assert two.manage("shell", "--no-imports", "-c", count).strip() == "0"
            assert stacks.answers(one.port)
            assert stacks.answers(two.port)
