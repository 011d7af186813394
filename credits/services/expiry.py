"""What time has done that nobody's act has booked yet, so that lists are not older than a few minutes."""

from collections.abc import Collection

from django.db import transaction

from backoffice.lib import clock
from credits import selectors
from credits.services.ground import Opened
from credits.services.posting import write
from credits.services.sweeps import sweep


def expire_credits() -> int:
    """Book lapsed credits and expire due holds on every account, as any act on it would; how many it was.

    Each account is visited once: what a hold still occupies stays, however long it has lapsed.
    """
    now = clock.now()
    return sweep(lambda after, limit: selectors.customers_due(now=now, after=after, limit=limit), _settle)


@transaction.atomic
def _settle(user_ids: Collection[int]) -> int:
    opened = Opened.of_users(user_ids)
    now = clock.now()
    opened.settle_all(now)
    write(opened, {}, now=now)
    return sum(len(account.journal.entries) + len(account.journal.closed_holds) for account in opened.changed())
