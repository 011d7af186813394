"""The ledger: accounts, the entries on them, the lots that credits come in, what drew on each, holds and debts.

Entries and draws are append-only; a lot and a debt change in what remains of them, a hold in its state, an account in
its figures: triggers and grants see to it (see the migrations). Only credits.services writes here.
"""

from credits.models.accounts import CreditAccount
from credits.models.entries import CreditTransaction
from credits.models.fields import CreditsField
from credits.models.lots import CreditDraw, CreditLot
from credits.models.obligations import CreditDebt, CreditHold
from credits.models.records import IdempotencyRecord, IntegrityRun

__all__ = [
    "CreditAccount",
    "CreditDebt",
    "CreditDraw",
    "CreditHold",
    "CreditLot",
    "CreditTransaction",
    "CreditsField",
    "IdempotencyRecord",
    "IntegrityRun",
]
