"""Writers and sessions that are killed: nothing half, and the retry applies once."""

import os
import random
import subprocess
import sys
import time

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection

from credits.models import CreditAccount, CreditTransaction
from credits.tests.faults.acts import CHARGES, assert_proven, give
from tests import databases
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WRITE_AND_WAIT = """
import time, django
django.setup()
from django.db import transaction
from credits.tests.faults import acts
with transaction.atomic():
    print(acts.{charge}({user_id}, 30).balance_after, flush=True)
    time.sleep(600)
"""


def app_database():
    return databases.on_database(databases.app_url(), settings.DATABASES["default"]["NAME"])


def writer(script):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "BACKOFFICE_ENV": "development",
        "DATABASE_URL": app_database(),
    }
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=databases.REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def sessions_but_ours():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize("charge", CHARGES)
def test_a_writer_killed_in_mid_transaction_leaves_nothing_and_the_retry_applies_once(charge):
    user_id = CustomerFactory().pk
    give(user_id, 100)
    others = sessions_but_ours()
    process = writer(WRITE_AND_WAIT.format(charge=charge.__name__, user_id=user_id))
    try:
        written = process.stdout.readline()
    finally:
        process.kill()
        _, complaint = process.communicate(timeout=30)
    assert written == b"70.0000\n", complaint
    # The server notices that the client is gone, and takes all of it back.
    deadline = time.monotonic() + 30
    while sessions_but_ours() > others and time.monotonic() < deadline:
        time.sleep(0.02)
    assert CreditAccount.objects.get(pk=user_id).balance == 100
    assert_proven()
    assert [charge(user_id, 30).replayed for _ in range(2)] == [False, True]
    assert CreditAccount.objects.get(pk=user_id).balance == 70
    assert_proven()


KILLS = 40


class Load:
    """Charges with keys of their own, each asked for until it is answered."""

    def __init__(self, user_ids, each):
        self.user_ids, self.each = user_ids, each
        self.failures = 0

    def charge(self, name):
        for n in range(self.each):
            self._insist(CHARGES[n % 3], self.user_ids[n % len(self.user_ids)], f"{name}-{n}")

    def _insist(self, charge, user_id, key):
        while True:
            try:
                return charge(user_id, 1, key)
            except DatabaseError:
                # What the end of a request does: a session that failed is not used again.
                self.failures += 1
                connection.close_if_unusable_or_obsolete()

    def kill_sessions(self):
        dice = random.Random()
        with psycopg.connect(app_database(), autocommit=True) as killer:
            # So many and no more: on a slow machine nobody would ever get through between two of them.
            for _ in range(KILLS):
                time.sleep(0.03)
                pids = killer.execute(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                ).fetchall()
                if pids:
                    killer.execute("SELECT pg_terminate_backend(%s)", dice.choice(pids))


def test_sessions_killed_under_load_lose_nothing_and_double_nothing():
    ids = [user.pk for user in CustomerFactory.create_batch(3)]
    for user_id in ids:
        give(user_id, 1000, f"in{user_id}")
    load = Load(ids, each=30)
    connection.close()
    results = at_once([*[lambda n=n: load.charge(n) for n in range(4)], load.kill_sessions])
    assert results == [None] * 5
    assert load.failures > 0
    assert CreditTransaction.objects.filter(kind="usage").count() == 120
    assert sum(account.balance for account in CreditAccount.objects.all()) == 3000 - 120
    assert_proven()
