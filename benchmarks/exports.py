"""The ledger as CSV, as the API streams it, beside the same rows by psql's \\copy."""

import os
import subprocess
import time
from collections.abc import Iterator
from functools import partial

from backoffice.lib import embedded
from benchmarks.clients import Client, client
from benchmarks.measures import Goal, Result, interleaved, median_pair
from benchmarks.pgbench import login
from benchmarks.setting import Setting

# The rows of the export with nothing made of them: no cell is made safe, no number and no time written as people do.
COPY = (
    "\\copy (SELECT entry.id, person.email, entry.kind, entry.amount, entry.balance_after, entry.description,"
    " entry.created_at FROM credits_credittransaction AS entry JOIN accounts_user AS person"
    " ON person.id = entry.account_id ORDER BY entry.id) TO '/dev/null' (FORMAT csv, HEADER)"
)
FIRST_BYTE_MS, MEMORY_MB = 2000, 200


def measure(setting: Setting) -> Iterator[Result]:
    """Rows a second, the first row, and what the process grows to."""
    with client("benchmarks.export_client", setting.database.environment) as process:
        rows = process.call("fill", entries=setting.size.entries)
        first: list[float] = []
        memory: list[float] = []
        measures = [partial(_exported, process, rows, first, memory), partial(_copied, setting, rows)]
        for warm_up in measures:
            warm_up()
        exported, copied = interleaved(measures, rounds=setting.size.rounds, between=setting.database.tidy)
    value, anchor_value = median_pair(exported, copied)
    yield Result(
        name=f"CSV export of {rows:,} entries",
        value=value,
        unit="rows/s",
        anchor="psql \\copy of the same rows",
        anchor_value=anchor_value,
        goal=Goal(0.5),
    )
    limits = [("first row", max(first), "ms", FIRST_BYTE_MS), ("memory", max(memory), "MB", MEMORY_MB)]
    for what, worst, unit, limit in limits:
        yield Result(
            name=f"{what} of that export, the worst of all rounds",
            value=worst,
            unit=unit,
            anchor="limit",
            anchor_value=limit,
            goal=Goal(1, at_most=True),
        )


def _exported(process: Client, rows: int, first: list[float], memory: list[float]) -> float:
    answer = process.call("exported")
    if answer["rows"] != rows:
        raise RuntimeError(f"{answer['rows']} of {rows} rows were exported")
    first.append(answer["first_row_ms"])
    memory.append(answer["memory_mb"])
    return float(rows / answer["seconds"])


def _copied(setting: Setting, rows: int) -> float:
    started = time.perf_counter()
    subprocess.run(
        [str(embedded.client("psql")), "--no-psqlrc", "--quiet", "--command", COPY],
        env=os.environ | login(setting.database.url),
        check=True,
    )
    return rows / (time.perf_counter() - started)
