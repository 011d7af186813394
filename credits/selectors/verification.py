"""The proof of the ledger: SQL over all accounts that names each row which breaks a rule."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

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
    """Check every rule over all accounts and yield each row that breaks one."""
    with connection.cursor() as cursor:
        for rule, query in RULES.items():
            cursor.execute(query)
            for account_id, row_id, detail in cursor:
                yield Fault(rule, account_id, row_id, detail)
