"""What a benchmark is given to work with."""

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


FULL = Size(accounts=10_000, clients=8, rounds=7, seconds=3, batch_charges=5_000)
# Shows that everything works, and no more: for tests.
QUICK = Size(accounts=100, clients=2, rounds=1, seconds=0.3, batch_charges=1)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A filled database and the size of what is measured on it. ``peer`` says whether the peer takes part."""

    database: Database
    size: Size
    peer: bool = True
