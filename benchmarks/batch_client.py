"""Batches of charges on one connection: through the service, and as bare rows. Runs in a client process."""

import os
import time
from decimal import Decimal
from functools import cache

import psycopg

from benchmarks import batch_rows, customers
from credits import services
from credits.kinds import TransactionKind
from credits.postings import Posting, Rejection


def charged(size: int) -> float:
    """Seconds that the service took for one batch; what is asked for was there before."""
    postings = [_posting(customer) for customer in customers.some(size)]
    started = time.perf_counter()
    outcomes = services.post_batch(postings)
    seconds = time.perf_counter() - started
    if any(isinstance(outcome, Rejection) for outcome in outcomes):
        raise RuntimeError("a charge of the batch was refused")
    return seconds


def _posting(customer: int) -> Posting:
    return Posting(
        user_id=customer,
        kind=TransactionKind.USAGE,
        amount=Decimal(-1),
        idempotency_key=customers.new_key(),
        action_type="image",
    )


def written(size: int) -> float:
    """Seconds that the bare rows of one batch took; they were worked out and rendered before."""
    rows = batch_rows.of(_connection(), customers.some(size))
    started = time.perf_counter()
    batch_rows.write(_connection(), rows)
    return time.perf_counter() - started


@cache
def _connection() -> psycopg.Connection:
    """One for all batches, as warm as the service's own."""
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


COMMANDS = {"charged": charged, "written": written}
