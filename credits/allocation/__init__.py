"""The pure core of the ledger: which entries an act makes, which lots it draws, what it opens. No database, no clock.

An account is a pile of lots. What adds opens a lot, what takes draws the lots in draw order: by priority, then by the
earliest expiry (none last), then free before paid, then by age. The rules in words: docs/ledger.md.
"""

from credits.allocation.acts import (
    add,
    capture,
    claw_back,
    give_back,
    place_hold,
    reinstate,
    release,
    spend,
    take_back,
)
from credits.allocation.booking import settle, start_period
from credits.allocation.state import (
    DEFAULT_PRIORITY,
    ZERO,
    Account,
    Debt,
    DebtPayment,
    Draw,
    Entry,
    Hold,
    Journal,
    Lot,
    LotTerms,
    Original,
)

__all__ = [
    "DEFAULT_PRIORITY",
    "ZERO",
    "Account",
    "Debt",
    "DebtPayment",
    "Draw",
    "Entry",
    "Hold",
    "Journal",
    "Lot",
    "LotTerms",
    "Original",
    "add",
    "capture",
    "claw_back",
    "give_back",
    "place_hold",
    "reinstate",
    "release",
    "settle",
    "spend",
    "start_period",
    "take_back",
]
