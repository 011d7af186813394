"""Verbs of the ledger. Every change of credits goes through ``post_batch``."""

from credits.postings import Outcome, Posting, PostResult, Rejection
from credits.services.adjustments import adjust_credits
from credits.services.expiry import expire_credits
from credits.services.gifts import gift_credits
from credits.services.posting import post, post_batch

__all__ = [
    "Outcome",
    "PostResult",
    "Posting",
    "Rejection",
    "adjust_credits",
    "expire_credits",
    "gift_credits",
    "post",
    "post_batch",
]
