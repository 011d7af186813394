"""Writes what was measured: benchmarks/results.json, and a page with a table and a chart."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import chart
from benchmarks.measures import Result

PAGE = """\
# Benchmarks

Every figure is a ratio to an anchor on the same server in the same run, measured in turn with it, round by round; so
they compare between machines, and a noisy one is noisy for both sides. A row shows the round whose ratio is the median
one. `make bench` makes this page anew.

<picture>
<source media="(prefers-color-scheme: dark)" srcset="images/benchmarks-dark.svg">
<img alt="Each measured ratio on the way to its goal" src="images/benchmarks-light.svg">
</picture>

{verdict}

{table}

- **Single charge**: client processes, each with its own connection, charge uniformly chosen customers through
  `credits.services`, which also checks the customer, keeps the request's key and the figures that lists sort by. Each
  customer was charged before in the same month and has one to three open lots.
- **pgbench** runs `benchmarks/anchor_charge.sql` as the same role on the same tables and customers: lock the account,
  read its open lots, insert entry and draw, update lot and account; prepared.
- **django-hordak transfer**: as many processes call `Account.transfer_to` between uniformly chosen accounts.
- **Batch**: `post_batch` on one connection. Its anchor writes the same entries and draws by COPY, from text that was
  rendered before, and updates lots and accounts by two statements; it decides nothing and keeps no keys.
- **Customers list** and **customer page**: a client process asks the real views through every middleware, as the
  runtime role, of a company of 1,000,000 customers with ten entries each, and in turn of one of 10,000. A figure is the
  95th (or 50th) percentile of the looks of a round; each look searches for another name or takes another filter. The
  companies are made once, proven by the rules of `verify_ledger`, and kept.
- **The stock admin**: `ModelAdmin` with the same columns by subqueries, on the same rows of the same database. Its page
  1,000 stands beside our page at 90% of the list.
- **CSV export**: the ledger as the API streams it, read to its end by a client process. Its anchor is psql's `\\copy`
  of the same joined and sorted rows to `/dev/null`, with no cell made safe and nothing written as people read it.
- **Import**: from the bytes of a file to the committed customers, each cell validated, duplicates and owners of each id
  looked for, signups recorded. Its anchor is one COPY of the same people into the same table, with its indexes and
  triggers, which checks and records nothing.
- **An audited save**: one connection changes a pack of credits again and again as the admin does, each change in a
  transaction of its own, in turn with no log at all, with the stock admin's `log_change` and with ours, which is sealed
  into the hash chain as it commits. A figure is the median of 500 saves; beyond the bare save, what the log adds.

## Measured

{date} with `{command}`.

{machine}
"""


def write(results: Sequence[Result], *, to: Path, command: str, machine: Mapping[str, str], page: Path | None) -> None:
    """Write the results into the file ``to``, and the page with its pictures beside it unless that is None."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps([result.as_json() for result in results], indent=2) + "\n")
    if page is None:
        return
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    (images / "benchmarks-light.svg").write_text(chart.draw(results, chart.LIGHT))
    (images / "benchmarks-dark.svg").write_text(chart.draw(results, chart.DARK))
    page.write_text(
        PAGE.format(
            verdict=verdict(results),
            table=table(results),
            date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            command=command,
            machine="\n".join(f"- {name}: {value}" for name, value in machine.items()),
        )
    )


def verdict(results: Sequence[Result]) -> str:
    """One line: whether every goal is met, or which are not."""
    missed = [result.name for result in results if result.holds is False]
    if not missed:
        return "**Every goal is met.**"
    return f"**GOAL MISSED: {'; '.join(missed)}.**"


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    head = "| What | Measured | Anchor | | Ratio | Goal | |\n|---|---:|---|---:|---:|---:|---|"
    return "\n".join([head, *map(_row, results)])


def number(value: float) -> str:
    """Three digits or more, and no more of a fraction than that takes."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _row(result: Result) -> str:
    word = {True: "met", False: "**MISSED**", None: "for information"}[result.holds]
    measured = f"{number(result.value)} {result.unit}"
    return (
        f"| {result.name} | {measured} | {result.anchor} | {number(result.anchor_value)} "
        f"| {result.ratio:.2f} | {result.goal or ''} | {word} |"
    )
