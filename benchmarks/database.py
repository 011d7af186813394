"""A database of the benchmark's own on the product's server: the owner makes it, the runtime role works on it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.clients import client
from tests import databases

# pgbench and the bare COPY move the ledger alone; what the product keeps beside it follows here, unmeasured.
FOLLOW = """
WITH figures AS (
    UPDATE accounts_customerfigures AS figures SET balance = account.balance
    FROM credits_creditaccount AS account
    WHERE account.user_id = figures.user_id AND figures.balance <> account.balance)
UPDATE accounts_customerbalance AS sorted SET balance = account.balance
FROM credits_creditaccount AS account
WHERE account.user_id = sorted.user_id AND sorted.balance <> account.balance
"""


class LedgerBroken(Exception):
    """The ledger is not proven after the benchmark; the message names what is wrong."""


@dataclass(frozen=True)
class Database:
    """A migrated database with customers whose ids run from ``first`` to ``last``."""

    name: str
    first: int
    last: int

    @property
    def url(self) -> str:
        """Where the runtime role finds it."""
        return databases.on_database(databases.app_url(), self.name)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client process of the product needs to know."""
        return environment_of(self.name) | {"BENCHMARK_CUSTOMERS": f"{self.first}-{self.last}"}

    def tidy(self) -> None:
        """Leave no dead rows and no stale statistics of one round to the next."""
        with databases.owner_connection(self.name) as connection:
            connection.execute("VACUUM (ANALYZE)")

    def prove(self) -> None:
        """Raise LedgerBroken unless everything that was measured left a sound ledger."""
        with databases.owner_connection(self.name) as connection:
            connection.execute(FOLLOW)
        with client("benchmarks.people", self.environment) as process:
            if faults := process.call("faults"):
                raise LedgerBroken("\n".join(faults))


@contextmanager
def filled(*, accounts: int) -> Iterator[Database]:
    """A fresh database with ``accounts`` customers, each with one to three open lots; dropped with the block."""
    name = f"bench_{os.getpid()}"
    databases.build_template(name)
    try:
        with client("benchmarks.people", environment_of(name)) as process:
            first, last = process.call("populate", accounts=accounts)
        yield Database(name, first, last)
    finally:
        databases.drop(name)


def environment_of(name: str) -> dict[str, str]:
    """What a client process needs to work on the database ``name`` as the runtime role."""
    return {key: value for key, value in os.environ.items() if key != "DATABASE_OWNER_URL"} | {
        "BACKOFFICE_ENV": "development",
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "DATABASE_URL": databases.on_database(databases.app_url(), name),
        "DATABASE_READONLY_URL": databases.on_database(databases.readonly_url(), name),
    }
