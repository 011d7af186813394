"""Batches of charges on one connection, beside the same rows written by plain set-based SQL."""

from collections.abc import Iterator
from functools import partial

from benchmarks.clients import Client, client
from benchmarks.measures import Goal, Result, interleaved, median_pair
from benchmarks.setting import Setting

GOALS = {100: None, 1000: Goal(0.5), 5000: None}


def measure(setting: Setting) -> Iterator[Result]:
    """Charges a second in batches of each size."""
    with client("benchmarks.batch_client", setting.database.environment) as process:
        for size, goal in GOALS.items():
            yield _batches(setting, process, size, goal)


def _batches(setting: Setting, process: Client, size: int, goal: Goal | None) -> Result:
    rate = partial(_rate, process, size=size, charges=setting.size.batch_charges)
    measures = [partial(rate, "charged"), partial(rate, "written")]
    for warm_up in measures:
        warm_up()
    service, rows = interleaved(measures, rounds=setting.size.rounds, between=setting.database.tidy)
    value, anchor_value = median_pair(service, rows)
    return Result(
        name=f"batch of {size:,} charges",
        value=value,
        unit="charges/s",
        anchor="the same rows by COPY and UPDATE",
        anchor_value=anchor_value,
        goal=goal,
    )


def _rate(process: Client, command: str, *, size: int, charges: int) -> float:
    batches = max(1, charges // size)
    return batches * size / sum(process.call(command, size=size) for _ in range(batches))
