"""Going over all accounts on which something is due, a few in each transaction."""

import logging
from collections.abc import Callable, Sequence

from django.db import IntegrityError

logger = logging.getLogger(__name__)

# Accounts that one transaction locks: few enough that nobody waits long for theirs.
ACCOUNTS_AT_ONCE = 200


def sweep(due: Callable[[int, int], Sequence[int]], book: Callable[[Sequence[int]], int]) -> int:
    """``book`` what is due for all customers; the sum of its answers. ``due(after, limit)`` gives ids in order.

    An account whose figures contradict each other, which the database refuses, is logged and left for the proof of
    the ledger to name: it must not keep all others from being swept.
    """
    booked, last = 0, 0
    while user_ids := due(last, ACCOUNTS_AT_ONCE):
        booked += _book_sound(user_ids, book)
        last = user_ids[-1]
    return booked


def _book_sound(user_ids: Sequence[int], book: Callable[[Sequence[int]], int]) -> int:
    try:
        return book(user_ids)
    except IntegrityError:
        if len(user_ids) > 1:
            return sum(_book_sound([user_id], book) for user_id in user_ids)
        logger.exception("an account was left out of a sweep", extra={"user_id": user_ids[0]})
        return 0
