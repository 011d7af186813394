"""The export of the ledger, read to its end as a web server does. Runs in a client process."""

import os
import time
from typing import Any

import psutil
import psycopg

from backoffice.lib import csv
from benchmarks import batch_rows, customers
from credits.exports import TRANSACTIONS
from credits.models import CreditTransaction

AT_ONCE = 5_000


def fill(entries: int) -> int:
    """Have at least so many entries; how many there are."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        while (missing := entries - CreditTransaction.objects.count()) > 0:
            for _ in range(0, missing, AT_ONCE):
                batch_rows.write(connection, batch_rows.of(connection, customers.some(min(missing, AT_ONCE))))
    return CreditTransaction.objects.count()


def exported() -> dict[str, Any]:
    """How long it took, until the first row and in all; the most memory that the process had."""
    process = psutil.Process()
    started = time.perf_counter()
    rows, most, first_row = 0, 0, 0.0
    for number, chunk in enumerate(csv.stream(TRANSACTIONS.rows().order_by("pk"), TRANSACTIONS.columns())):
        rows += chunk.count(b"\n")
        if number == 1:
            first_row = time.perf_counter() - started
        most = max(most, process.memory_info().rss)
    return {
        "rows": rows - 1,
        "seconds": time.perf_counter() - started,
        "first_row_ms": first_row * 1000,
        "memory_mb": most / 1e6,
    }


COMMANDS = {"fill": fill, "exported": exported}
