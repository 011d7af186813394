"""Large companies to look at: databases that are made once by plain SQL, proven, and kept for the next run.

What was made is noted step by step in the database itself, so that a run that was cut off goes on where it was.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from backoffice.demo.names import COUNTRIES, plain
from benchmarks import bulk
from benchmarks import company_rows as rows
from benchmarks.clients import client
from benchmarks.database import LedgerBroken, environment_of
from credits.allocation import DEFAULT_PRIORITY
from tests import databases

QUIET_ENTRIES = 100
# Customers at a time: a million entries or so, which one transaction can bear.
CHUNK = 100_000
PROGRESS = "CREATE TABLE IF NOT EXISTS bench_progress (step text PRIMARY KEY)"
WITHOUT_INDEXES = (
    "accounts_customerfigures",
    "accounts_customerbalance",
    "accounts_customersearch",
    "credits_credittransaction",
    "credits_creditlot",
    "credits_creditdraw",
    "billing_payment",
)

Say = Callable[[str], object]
Step = Callable[[psycopg.Connection], object]


@dataclass(frozen=True, kw_only=True)
class Company:
    """A filled database. Customer ``busy`` has ``busy_entries`` ledger entries, customer ``quiet`` has 100."""

    customers: int
    busy_entries: int

    # Both with entries of their own number, and of no other name or age than everybody else.
    busy, quiet = 7, 11

    @property
    def name(self) -> str:
        return f"bench_company_{self.customers}"


@contextmanager
def ready(company: Company, *, keep: bool, say: Say) -> Iterator[Company]:
    """The company, made unless it is there, with all migrations; dropped with the block unless it is to be kept."""
    if _fingerprint(company) != _noted(company.name):
        say(f"Making a company of {company.customers:,} customers" + (" (once)" if keep else ""))
        databases.build_template(company.name)
        _note(company.name, _fingerprint(company))
    else:
        databases.manage("migrate", company.name)
    try:
        _build(company, say)
        yield company
    finally:
        if not keep:
            databases.drop(company.name)


def _build(company: Company, say: Say) -> None:
    with databases.owner_connection(company.name) as connection:
        connection.execute(PROGRESS)
        done = {step for (step,) in connection.execute("SELECT step FROM bench_progress")}
        connection.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
        for name, step in _steps(company):
            if name not in done:
                say(f"  {name}")
                with connection.transaction():
                    step(connection)
                    connection.execute("INSERT INTO bench_progress VALUES (%s)", [name])
        if "proof" not in done:
            say("  proof")
            connection.execute("VACUUM (ANALYZE)")
            _prove(company)
            connection.execute("INSERT INTO bench_progress VALUES ('proof')")


def _steps(company: Company) -> Iterator[tuple[str, Step]]:
    yield "plan", _plain(rows.PLAN, company)
    yield "without indexes", partial(bulk.strip, tables=WITHOUT_INDEXES)
    yield "customers", _customers
    yield "accounts", _plain(rows.ACCOUNTS, company)
    for after, upto in _chunks(company):
        yield f"entries of customers {after + 1:,} to {upto:,}", _plain(rows.ENTRIES, company, after=after, upto=upto)
    yield "lots", _plain(rows.LOTS, company)
    for after, upto in _chunks(company):
        yield f"draws of customers {after + 1:,} to {upto:,}", _plain(rows.DRAWS, company, after=after, upto=upto)
    yield "payments", _plain(rows.PAYMENTS, company)
    yield "figures", _plain(rows.FIGURES, company)
    yield "indexes", bulk.restore
    for table in rows.NUMBERED:
        yield f"numbers of {table}", _plain(rows.SEQUENCES, company, table=table)
    yield "totals", _count


def _chunks(company: Company) -> Iterator[tuple[int, int]]:
    for after in range(0, company.customers, CHUNK):
        yield after, min(after + CHUNK, company.customers)


def _plain(statement: str, company: Company, **more: object) -> Step:
    text = statement.format(
        customers=company.customers,
        busy=company.busy,
        busy_entries=company.busy_entries,
        quiet=company.quiet,
        quiet_entries=QUIET_ENTRIES,
        priority=DEFAULT_PRIORITY,
        **more,
    )
    return lambda connection: connection.execute(text)


def _customers(connection: psycopg.Connection) -> None:
    given = [name for country in COUNTRIES.values() for name in country.given]
    family = [name for country in COUNTRIES.values() for name in country.family]
    connection.execute(
        rows.CUSTOMERS,
        {
            "given": given,
            "given_plain": [plain(name) for name in given],
            "family": family,
            "family_plain": [plain(name) for name in family],
            "syllables": rows.SYLLABLES,
            "countries": list(COUNTRIES),
        },
    )


def _prove(company: Company) -> None:
    with client("benchmarks.people", environment_of(company.name)) as process:
        if faults := process.call("faults"):
            raise LedgerBroken("\n".join(faults[:20]))


def _count(connection: psycopg.Connection) -> None:
    with client("benchmarks.people", environment_of(connection.info.dbname)) as process:
        process.call("count")


def _fingerprint(company: Company) -> str:
    """What a kept database was made by: another generator makes another company."""
    sources = [Path(module.__file__ or "").read_bytes() for module in (rows, bulk)]
    return hashlib.sha256(repr((company, sources)).encode()).hexdigest()


def _noted(name: str) -> str | None:
    """The fingerprint in the comment of the database ``name``; None if there is no such database."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with databases.owner_connection(urlsplit(databases.owner_url()).path.lstrip("/")) as connection:
        row = connection.execute(query, [name]).fetchone()
    return row[0] if row else None


def _note(name: str, fingerprint: str) -> None:
    with databases.owner_connection(name) as connection:
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(fingerprint))
        )
