"""Monthly allowances: what a plan grants each period, once, and when the next period begins."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from backoffice.lib import clock
from credits import selectors
from credits.amounts import check_amount
from credits.errors import InvalidExpiry
from credits.kinds import TransactionKind
from credits.models import CreditAccount
from credits.periods import period_around
from credits.postings import Outcome, Posting, Rejection
from credits.services.ground import Opened
from credits.services.posting import post_batch

logger = logging.getLogger(__name__)

ACCOUNTS_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Period:
    """Credits to grant for one period. ``amount`` may be 0: the period begins all the same."""

    user_id: int
    amount: Decimal
    starts_at: datetime
    ends_at: datetime
    upgraded_from: Decimal | None = None

    def posting(self) -> Posting:
        # An upgrade within the period grants the difference, once for each amount that it goes up to.
        upgrade = "" if self.upgraded_from is None else f":{self.amount.normalize()}"
        return Posting(
            user_id=self.user_id,
            kind=TransactionKind.ALLOWANCE,
            amount=self.amount - (self.upgraded_from or 0),
            idempotency_key=f"allowance:{self.user_id}:{self.starts_at.isoformat()}{upgrade}",
            description="Monthly allowance" if self.upgraded_from is None else "Larger monthly allowance",
            expires_at=self.ends_at,
            period_start=self.starts_at,
        )


@transaction.atomic
def set_allowance(
    *,
    user_id: int,
    amount: Decimal,
    period_start: datetime,
    period_end: datetime | None = None,
    paid_until: datetime | None = None,
) -> list[Outcome]:
    """Give a customer ``amount`` credits each month from ``period_start`` (UTC) on, and grant the running period.

    Periods follow each other by the month from ``period_start``, unless ``period_end`` says when the running one ends.
    The sweep goes on granting until ``paid_until``, for ever unless told. More than before within one period grants
    the difference at once, less takes effect with the next. An amount of 0 ends the allowance. Raises InvalidAmount,
    InvalidExpiry, and the CreditError of the grant.
    """
    if amount:
        check_amount(amount)
    now = clock.now()
    starts_at, ends_at = period_around(period_start, now, _zone())
    if period_end is not None:
        starts_at, ends_at = period_start, period_end
    if not starts_at < ends_at:
        raise InvalidExpiry("A period ends after it starts.")
    Opened.of_users({user_id})
    granted = _granted(user_id, starts_at)
    outcomes: list[Outcome] = []
    if amount > (granted or 0) and ends_at > now:
        period = Period(user_id=user_id, amount=amount, starts_at=starts_at, ends_at=ends_at, upgraded_from=granted)
        outcomes = post_batch([period.posting()])
        _raise_first(outcomes)
    CreditAccount.objects.filter(pk=user_id).update(
        monthly_allowance=amount,
        allowance_anchor=period_start,
        next_reset_at=ends_at if amount else None,
        allowance_paid_until=paid_until,
        updated_at=now,
    )
    return outcomes


def reset_allowances() -> int:
    """Begin the running period of every allowance whose last one has ended; how many there were.

    Who missed several periods gets the running one: what the others would have granted has lapsed.
    """
    now, begun, last = clock.now(), 0, 0
    while user_ids := selectors.allowances_due(now=now, after=last, limit=ACCOUNTS_AT_ONCE):
        begun += _reset(user_ids, now)
        last = user_ids[-1]
    return begun


@transaction.atomic
def _reset(user_ids: Sequence[int], now: datetime) -> int:
    # Read again under the lock: somebody else may have begun the period, or changed the plan.
    Opened.of_users(user_ids)
    periods = [_running_period(account, now) for account in selectors.allowances_of(user_ids, now=now)]
    outcomes = post_batch([period.posting() for period in periods])
    for period, outcome in zip(periods, outcomes, strict=True):
        if isinstance(outcome, Rejection):
            logger.error("allowance not granted", extra={"user_id": period.user_id, "error": str(outcome.error)})
        else:
            CreditAccount.objects.filter(pk=period.user_id).update(next_reset_at=period.ends_at, updated_at=now)
    return sum(not isinstance(outcome, Rejection) for outcome in outcomes)


def _running_period(account: CreditAccount, now: datetime) -> Period:
    anchor = account.allowance_anchor or account.next_reset_at or now
    starts_at, ends_at = period_around(anchor, now, _zone())
    return Period(user_id=account.pk, amount=account.monthly_allowance, starts_at=starts_at, ends_at=ends_at)


def _granted(user_id: int, starts_at: datetime) -> Decimal | None:
    """What the period that starts then was granted so far; None if it has not begun. The account is locked."""
    account = selectors.balance_of(user_id)
    if account.period_started_at != starts_at:
        return None
    return selectors.allowance_granted(account)


def _raise_first(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Rejection):
            raise outcome.error


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.REPORTING_TIME_ZONE)
