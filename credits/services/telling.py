"""Telling the product of allowances and of balances that ran low.

It is found out from the entries, once a minute: a charge pays nothing for it, and what a sweep missed the next finds.
"""

from datetime import timedelta

from django.conf import settings

from backoffice.lib import clock
from backoffice.lib.api.values import iso
from backoffice.lib.money import plain_credits
from credits import selectors
from credits.models import CreditTransaction
from credits.selectors.telling import ALLOWANCE_GRANTED, BALANCE_LOW
from jobs.services import Told, tell_product

AT_ONCE = 500


def tell_of_movements(*, look_back: timedelta) -> int:
    """Tell of what the entries of the last time show and no message tells; how many messages that made."""
    since, below = clock.now() - look_back, settings.LOW_BALANCE_CREDITS
    told = 0
    while grants := list(selectors.untold_allowances(since=since)[:AT_ONCE]):
        tell_product(_told(ALLOWANCE_GRANTED, entry, amount=plain_credits(entry.amount)) for entry in grants)
        told += len(grants)
    while below and (falls := list(selectors.untold_low_balances(below=below, since=since)[:AT_ONCE])):
        tell_product(_told(BALANCE_LOW, entry, threshold=plain_credits(below)) for entry in falls)
        told += len(falls)
    return told


def _told(topic: str, entry: CreditTransaction, **more: str) -> Told:
    return Told(
        key=f"{topic}:{entry.pk}",
        topic=topic,
        data={
            "user": entry.external_id,  # type: ignore[attr-defined]
            **more,
            "balance": plain_credits(entry.balance_after),
            "transaction": entry.pk,
            "at": iso(entry.created_at),
        },
        user_id=entry.account_id,
    )
