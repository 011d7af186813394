"""Customers from a file, validated row by row, beside the same people by COPY."""

from collections.abc import Iterator
from functools import partial

from benchmarks.clients import Client, client
from benchmarks.measures import Goal, Result, interleaved, median_pair
from benchmarks.setting import Setting


def measure(setting: Setting) -> Iterator[Result]:
    """Customers a second, without and with an opening balance each."""
    with client("benchmarks.import_client", setting.database.environment) as process:
        for has_balances, goal in ((False, Goal(0.2)), (True, None)):
            yield _imports(setting, process, has_balances=has_balances, goal=goal)


def _imports(setting: Setting, process: Client, *, has_balances: bool, goal: Goal | None) -> Result:
    number = setting.size.imported
    measures = [
        partial(_rate, process, "imported", number=number, has_balances=has_balances),
        partial(_rate, process, "copied", number=number),
    ]
    for warm_up in measures:
        warm_up()
    imported, copied = interleaved(measures, rounds=setting.size.rounds, between=setting.database.tidy)
    value, anchor_value = median_pair(imported, copied)
    return Result(
        name=f"import of {number:,} customers" + (" with opening balances" if has_balances else ""),
        value=value,
        unit="customers/s",
        anchor="COPY of the same people",
        anchor_value=anchor_value,
        goal=goal,
    )


def _rate(process: Client, command: str, *, number: int, **options: bool) -> float:
    return number / float(process.call(command, number=number, **options))
