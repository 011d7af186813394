"""Verbs of the ledger. Every change of credits goes through ``post_batch``."""

from credits.postings import Posting, PostResult
from credits.services.adjustments import adjust_credits
from credits.services.gifts import gift_credits
from credits.services.posting import post, post_batch

__all__ = ["PostResult", "Posting", "adjust_credits", "gift_credits", "post", "post_batch"]
