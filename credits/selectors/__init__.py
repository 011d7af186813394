"""Reads of the ledger."""

from credits.selectors.balances import (
    available_credits,
    balance_of,
    customers_with_lapsed_lots,
    draws_of,
    ledger,
    ledger_of,
    lot_opened_by,
    open_lots,
    search_ledger,
)
from credits.selectors.verification import RULES, Fault, verify

__all__ = [
    "RULES",
    "Fault",
    "available_credits",
    "balance_of",
    "customers_with_lapsed_lots",
    "draws_of",
    "ledger",
    "ledger_of",
    "lot_opened_by",
    "open_lots",
    "search_ledger",
    "verify",
]
