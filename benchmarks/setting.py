"""What a benchmark is given to work with."""

import sys
from dataclasses import dataclass

from benchmarks.database import Database


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured: of what there is, how long, and how often."""

    accounts: int
    clients: int
    rounds: int
    seconds: float
    batch_charges: int
    # Of the large company and of the small one; entries of the large one's busiest customer; looks at a page a round.
    customers: int
    few_customers: int
    busy_entries: int
    looks: int
    # Whether companies stay for the next run, since the large one takes minutes to make.
    keeps_companies: bool
    # Of the exported ledger, and customers of the imported file.
    entries: int
    imported: int
    # Saves of one record a round, with each log.
    saves: int


FULL = Size(
    accounts=10_000,
    clients=8,
    rounds=7,
    seconds=3,
    batch_charges=5_000,
    customers=1_000_000,
    few_customers=10_000,
    busy_entries=100_000,
    looks=20,
    keeps_companies=True,
    entries=1_000_000,
    imported=20_000,
    saves=500,
)
# Shows that everything works, and no more: for tests.
QUICK = Size(
    accounts=100,
    clients=2,
    rounds=1,
    seconds=0.3,
    batch_charges=1,
    customers=1_200,
    few_customers=200,
    busy_entries=300,
    looks=2,
    keeps_companies=False,
    entries=2_000,
    imported=50,
    saves=20,
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A filled database and the size of what is measured on it. ``peer`` says whether the peer takes part."""

    database: Database
    size: Size
    peer: bool = True


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
