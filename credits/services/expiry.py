"""Expiry that nobody's post has booked yet, so that the balances in lists are not older than a few minutes."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts import services as accounts
from backoffice.lib import clock
from credits import selectors
from credits.services.ledger_rows import LockedAccounts

# Accounts that one transaction locks: few enough that nobody waits long for theirs.
ACCOUNTS_AT_ONCE = 200


def expire_credits() -> int:
    """Book what has lapsed by now on every account, as any post on it would; the number of entries made."""
    now, booked = clock.now(), 0
    while user_ids := selectors.customers_with_lapsed_lots(now=now, limit=ACCOUNTS_AT_ONCE):
        booked += _expire(user_ids, now)
    return booked


@transaction.atomic
def _expire(user_ids: Sequence[int], now: datetime) -> int:
    locked = LockedAccounts.of(user_ids)
    booked = locked.book_lapsed(now=now)
    locked.write(booked, now=now)
    accounts.set_balances(locked.balances_of_changed())
    return len(booked)
