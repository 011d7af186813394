"""The proof of the ledger: SQL over all accounts that names each row which breaks a rule."""

from collections.abc import Iterator
from dataclasses import dataclass

from backoffice.lib.proving import broken_rows
from credits.models import CreditAccount
from credits.selectors.rules import RULES


@dataclass(frozen=True)
class Fault:
    """A broken row. ``rule`` says what should hold, ``detail`` what was found."""

    rule: str
    account_id: int
    row_id: int
    detail: str


def number_of_accounts() -> int:
    """How many accounts there are to check."""
    return CreditAccount.objects.count()


def verify() -> Iterator[Fault]:
    """Check every rule over all accounts and yield each row that breaks one. To be asked in one snapshot."""
    for rule, query in RULES.items():
        for account_id, row_id, detail in broken_rows(query):
            yield Fault(rule, account_id, row_id, detail)
