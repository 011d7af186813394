"""python -m benchmarks: measure everything, print the table, and write it down.

Exit code 0 also when a goal is missed: this is a report. It is 1 when the ledger is not sound afterwards.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from backoffice.lib import embedded
from benchmarks import batches, charges, customer_pages, database, exports, imports, machine, report, saving, webhooks
from benchmarks.clients import REPOSITORY
from benchmarks.measures import Result
from benchmarks.setting import FULL, QUICK, Setting, Size, say

# A benchmark is a module with ``measure``; this is the order of the report.
BENCHMARKS: dict[str, Callable[[Setting], Iterator[Result]]] = {
    "charges": charges.measure,
    "batches": batches.measure,
    "customers": customer_pages.measure,
    "exports": exports.measure,
    "imports": imports.measure,
    "saving": saving.measure,
    "webhooks": webhooks.measure,
}


def main(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    size = QUICK if options.quick else FULL
    with (
        embedded.running(
            embedded.data_dir(os.environ), postgres=not os.environ.get("DATABASE_URL"), redis=False, say=say
        ),
        database.filled(accounts=size.accounts) as filled,
    ):
        setting = Setting(database=filled, size=size, peer=not options.without_peer)
        results = list(_measured(setting, options.only))
        facts = dict(machine.facts(filled))
        filled.prove()
    say("\n" + report.table(results) + "\n\n" + report.verdict(results))
    _write(results, facts, options, size)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that everything works; the figures mean nothing")
    parser.add_argument("--without-peer", action="store_true", help="leave django-hordak and dj-stripe out")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), help="these alone")
    parser.add_argument("--results", type=Path, help="write results.json here alone, and leave the page as it is")
    return parser


def _measured(setting: Setting, names: Sequence[str]) -> Iterator[Result]:
    for name in names:
        for result in BENCHMARKS[name](setting):
            say(f"{result.name}: {report.number(result.value)} {result.unit}, {result.ratio:.2f} of {result.anchor}")
            yield result


def _write(results: Sequence[Result], facts: dict[str, str], options: argparse.Namespace, size: Size) -> None:
    """A part of the whole never takes the place of the page that shows all of it."""
    whole = size is FULL and not options.without_peer and len(results) and options.only == list(BENCHMARKS)
    elsewhere = options.results or (None if whole else embedded.data_dir(os.environ) / "benchmarks" / "results.json")
    report.write(
        results,
        to=elsewhere or REPOSITORY / "benchmarks" / "results.json",
        command="make bench",
        machine=facts,
        page=None if elsewhere else REPOSITORY / "docs" / "benchmarks.md",
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except database.LedgerBroken as broken:
        sys.exit(f"The ledger is not sound after the run:\n{broken}")
