"""The servers are killed without warning while credits are being written."""

import os
import signal
import subprocess
import sys
import time

import psutil

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


def postmaster_of(data_dir):
    pids = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "-D" in (process.info["cmdline"] or []) and any(str(data_dir) in part for part in process.info["cmdline"])
    ]
    assert len(pids) == 1, pids
    return pids[0]


def test_after_kill_9_in_mid_write_the_next_start_recovers_a_ledger_that_proves():
    with stacks.data_directory() as data_dir:
        stacks.manage(data_dir, "setup_database")
        stacks.manage(data_dir, "migrate")
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


def test_two_checkouts_run_side_by_side_and_do_not_meet():
    with stacks.data_directory() as first, stacks.data_directory() as second:
        for data_dir in (first, second):
            stacks.manage(data_dir, "setup_database")
            stacks.manage(data_dir, "migrate")
        with stacks.running(first, "--no-demo") as one, stacks.running(second, "--no-demo") as two:
            one.manage(
                "shell", "--no-imports", "-c", "from accounts.models import User as U; U.objects.create_user('a@b.c')"
            )
            count = "from accounts.models import User; print(User.objects.count())"
            assert one.manage("shell", "--no-imports", "-c", count).strip() == "1"
            assert two.manage("shell", "--no-imports", "-c", count).strip() == "0"
            assert stacks.answers(one.port)
            assert stacks.answers(two.port)
