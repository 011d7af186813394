"""What time has done that nobody's act has booked yet, so that lists are not older than a few minutes."""

from collections.abc import Collection

from django.db import transaction

from backoffice.lib import clock
from credits import selectors
from credits.services.ground import Opened
from credits.services.posting import write

# Accounts that one transaction locks: few enough that nobody waits long for theirs.
ACCOUNTS_AT_ONCE = 200


def expire_credits() -> int:
    """Book lapsed credits and expire due holds on every account, as any act on it would; how many it was.

    Each account is visited once: what a hold still occupies stays, however long it has lapsed.
    """
    now, booked, last = clock.now(), 0, 0
    while user_ids := selectors.customers_due(now=now, after=last, limit=ACCOUNTS_AT_ONCE):
        booked += _settle(user_ids)
        last = user_ids[-1]
    return booked


@transaction.atomic
def _settle(user_ids: Collection[int]) -> int:
    opened = Opened.of_users(user_ids)
    now = clock.now()
    opened.settle_all(now)
    write(opened, {}, now=now)
    return sum(len(account.journal.entries) + len(account.journal.closed_holds) for account in opened.changed())
