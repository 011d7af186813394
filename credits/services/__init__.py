"""Verbs of the ledger. Every change of credits goes through ``post_batch``."""

from credits.postings import HoldResult, Outcome, Posting, PostResult, Rejection
from credits.services.adjustments import adjust_credits, reverse_transaction
from credits.services.allowances import grant_allowance, preview_allowance, reset_allowances, set_allowance
from credits.services.charges import charge_credits
from credits.services.expiry import expire_credits
from credits.services.gifts import gift_credits
from credits.services.holds import capture_hold, place_hold, release_hold
from credits.services.integrity import verify_ledger
from credits.services.merging import move_credits, settle_merged
from credits.services.posting import post, post_batch
from credits.services.refunds import claw_back, refund_usage, reinstate
from credits.services.staff_allowances import AllowanceResult, adjust_allowance
from credits.services.sweeps import sweep_by_hand
from credits.services.telling import tell_of_movements

__all__ = [
    "AllowanceResult",
    "HoldResult",
    "Outcome",
    "PostResult",
    "Posting",
    "Rejection",
    "adjust_allowance",
    "adjust_credits",
    "capture_hold",
    "charge_credits",
    "claw_back",
    "expire_credits",
    "gift_credits",
    "grant_allowance",
    "move_credits",
    "place_hold",
    "post",
    "post_batch",
    "preview_allowance",
    "refund_usage",
    "reinstate",
    "release_hold",
    "reset_allowances",
    "reverse_transaction",
    "set_allowance",
    "settle_merged",
    "sweep_by_hand",
    "tell_of_movements",
    "verify_ledger",
]
