"""Reads of the ledger."""

from credits.selectors.balances import (
    allowances_due,
    allowances_granted,
    allowances_of,
    available_credits,
    balance_as_of,
    balance_of,
    consumed_in_period,
    customers_due,
    draws_of,
    entries_of,
    hold_at,
    ledger,
    ledger_of,
    lots_opened_by,
    open_lots,
    search_ledger,
    standing,
)
from credits.selectors.rules import RULES
from credits.selectors.verification import Fault, number_of_accounts, verify

__all__ = [
    "RULES",
    "Fault",
    "allowances_due",
    "allowances_granted",
    "allowances_of",
    "available_credits",
    "balance_as_of",
    "balance_of",
    "consumed_in_period",
    "customers_due",
    "draws_of",
    "entries_of",
    "hold_at",
    "ledger",
    "ledger_of",
    "lots_opened_by",
    "number_of_accounts",
    "open_lots",
    "search_ledger",
    "standing",
    "verify",
]
