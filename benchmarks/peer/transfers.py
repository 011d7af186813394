"""A client that transfers money between two of the peer's accounts, one transfer at a time. Runs with the peer."""

import random

from hordak.models import Account, AccountType
from moneyed import Money

from benchmarks.child import run_for

ONE = Money(1, "USD")
accounts: list[Account] = []


def populate(number: int) -> None:
    """Make ``number`` root accounts. The columns of the tree are told, since building it one by one takes minutes."""
    Account.objects.bulk_create(
        Account(
            name=f"account {position}",
            type=AccountType.liability,
            currencies=["USD"],
            tree_id=position,
            level=0,
            lft=1,
            rght=2,
        )
        for position in range(1, number + 1)
    )


def load() -> None:
    """Keep all accounts at hand, so that finding them is no part of a transfer."""
    accounts[:] = Account.objects.all()


def transfer() -> None:
    payer, payee = random.sample(accounts, 2)
    payer.transfer_to(payee, ONE)


def transfers(seconds: float, start_at: float) -> dict[str, float]:
    return run_for(seconds, start_at, transfer)


COMMANDS = {"populate": populate, "load": load, "transfers": transfers}
