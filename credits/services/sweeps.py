"""Going over all accounts on which something is due, a few in each transaction."""

import logging
from collections.abc import Callable, Sequence

from django.db import IntegrityError, transaction

from audit import services as audit
from audit.actions import Action

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


def sweep_by_hand(*, name: str, run: Callable[[], int]) -> int:
    """``run`` what beat runs by itself, for somebody at the shell; its answer.

    The audit log has an entry before it begins and one after its end: of a run that was stopped it has the first alone.
    """
    _tell(Action.SWEEP_BEGUN, name)
    booked = run()
    _tell(Action.SWEEP_FINISHED, name, booked=booked)
    return booked


@transaction.atomic
def _tell(action: Action, name: str, **values: int) -> None:
    audit.record(action=action, actor=None, resource=audit.Resource("sweep", name, name), new_values=values)
