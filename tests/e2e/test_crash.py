"""The servers are killed without warning, or restarted in good order, while credits are being written."""

import http.client
import os
import signal
import subprocess
import sys
import time

import psutil
import psycopg

from backoffice.lib import embedded
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
User.objects.bulk_create([User(email=f"customer{n}@example.com") for n in range(6000)])
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


def test_an_orderly_restart_of_postgres_in_the_middle_of_a_job_needs_nobody_and_each_customer_is_given_to_once():
    job = "SELECT state, done, total FROM jobs_job"
    with stacks.prepared_directory() as data_dir, stacks.running(data_dir, "--no-demo") as stack:
        stack.manage("shell", "--no-imports", "-c", GIVE_TO_MANY)
        until(lambda: asked(data_dir, job)[1] >= 250, 60)
        before = postmaster_of(data_dir)
        # What `pg_ctl stop -m fast` and a service manager send; whoever runs the product starts it again.
        os.kill(before, signal.SIGINT)
        until(lambda: before not in postmasters_of(data_dir), 60)
        until(lambda: is_ready(stack.port), 60)
        state, done, total = asked(data_dir, job)
        assert state == "running"
        assert 250 <= done < total == 6000
        # The next sweep but one finds the job without a worker.
        until(lambda: asked(data_dir, job)[0] != "running", 120)
        assert asked(data_dir, job) == ("done", 6000, 6000)
        gifts = "SELECT count(*), count(DISTINCT account_id), sum(amount) FROM credits_credittransaction"
        assert asked(data_dir, gifts) == (6000, 6000, 30_000)
        assert stack.manage("verify_ledger").startswith("ok: 6000 accounts")
        assert stack.manage("verify_figures").startswith("ok: 6001 customers")


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
