"""Reads of the ledger."""

from credits.selectors.balances import available_credits, balance_of, ledger_of, open_lots
from credits.selectors.verification import RULES, Fault, verify

__all__ = ["RULES", "Fault", "available_credits", "balance_of", "ledger_of", "open_lots", "verify"]
