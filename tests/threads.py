"""Real concurrency in tests: each call on a thread and a connection of its own, all released at one moment."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections, transaction


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls at the same time; each answer is what the call returned or the exception it raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return call()
        except Exception as error:  # noqa: BLE001 (the exception is the answer)
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def while_another_waits(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """Do ``first`` in a transaction that ends once ``second``, begun in its midst, waits for one of its locks.

    The answers of both, as of ``at_once``; what ``first`` raises is raised.
    """
    done = threading.Event()

    def held() -> Any:
        with transaction.atomic():
            answer = first()
            done.set()
            wait_for_a_waiter()
        return answer

    def waiting() -> Any:
        done.wait(timeout=30)
        return second()

    answers = at_once([held, waiting])
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers


def wait_for_a_waiter() -> None:
    """Return once somebody waits for a lock of this transaction."""
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            # Not pg_stat_activity, which stands still within a transaction.
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.02)
    raise AssertionError("nobody came to wait for a lock of this transaction")
