"""Monthly allowances: what a plan grants each period, once, and when the next period begins."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from backoffice.lib import clock
from credits import selectors
from credits.amounts import check_amount
from credits.errors import InvalidExpiry, UnknownUser
from credits.kinds import TransactionKind
from credits.models import CreditAccount
from credits.periods import period_around
from credits.postings import Outcome, Posting, Rejection
from credits.services.ground import Opened
from credits.services.posting import post_batch
from credits.services.sweeps import sweep

logger = logging.getLogger(__name__)

# What periods were granted: credits by customer and start of the period.
Granted = dict[tuple[int, str], Decimal]


@dataclass(frozen=True, kw_only=True)
class Period:
    """One period of a customer's allowance, which comes to ``amount`` credits in all."""

    user_id: int
    amount: Decimal
    starts_at: datetime
    ends_at: datetime

    def missing(self, granted: Granted) -> Posting | None:
        """What it still has to grant; None if it has granted as much, or more, already."""
        before = granted.get((self.user_id, self.starts_at.isoformat()))
        if self.amount <= (before or 0):
            return None
        # An upgrade within the period grants the difference, once for each amount that it goes up to.
        upgrade = "" if before is None else f":{self.amount.normalize():f}"
        return Posting(
            user_id=self.user_id,
            kind=TransactionKind.ALLOWANCE,
            amount=self.amount - (before or 0),
            idempotency_key=f"allowance:{self.user_id}:{self.starts_at.isoformat()}{upgrade}",
            description="Monthly allowance" if before is None else "Larger monthly allowance",
            # By this the period finds later what it has granted, whatever became of the plan in between.
            metadata={"period_start": self.starts_at.isoformat()},
            expires_at=self.ends_at,
            period_start=self.starts_at if before is None else None,
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
    the difference at once, less takes effect with the next; a period that is over grants nothing, one to come grants
    when it begins. An amount of 0 ends the allowance. Raises InvalidAmount, InvalidExpiry, UnknownUser, and the
    CreditError of the grant.
    """
    if amount:
        check_amount(amount)
    Opened.of_users({user_id})
    now = clock.now()
    starts_at, ends_at = _period(period_start, period_end, now)
    outcomes = _grant_running(Period(user_id=user_id, amount=amount, starts_at=starts_at, ends_at=ends_at), now)
    _raise_first(outcomes)
    resets_at = starts_at if now < starts_at else ends_at
    changed = CreditAccount.objects.filter(pk=user_id).update(
        monthly_allowance=amount,
        allowance_anchor=period_start,
        next_reset_at=resets_at if amount else None,
        allowance_paid_until=paid_until,
        updated_at=now,
    )
    if not changed:
        raise UnknownUser(user_id)
    return outcomes


@transaction.atomic
def grant_allowance(
    *, user_id: int, amount: Decimal, period_start: datetime, period_end: datetime | None = None
) -> list[Outcome]:
    """Grant what the running period of ``set_allowance`` would grant, and leave the customer's allowance as it is.

    For what is paid for beside it. Raises InvalidAmount, InvalidExpiry, and the CreditError of the grant.
    """
    check_amount(amount)
    Opened.of_users({user_id})
    now = clock.now()
    starts_at, ends_at = _period(period_start, period_end, now)
    outcomes = _grant_running(Period(user_id=user_id, amount=amount, starts_at=starts_at, ends_at=ends_at), now)
    _raise_first(outcomes)
    return outcomes


def preview_allowance(*, user_id: int, amount: Decimal) -> tuple[Decimal, datetime]:
    """What ``set_allowance`` would grant at once, counted from the customer's own anchor, and when the period ends."""
    account = CreditAccount.objects.filter(pk=user_id).first()
    starts_at, ends_at = period_around(anchor_of(account), clock.now(), _zone())
    period = Period(user_id=user_id, amount=amount, starts_at=starts_at, ends_at=ends_at)
    missing = period.missing(selectors.allowances_granted([user_id], since=starts_at))
    return (missing.amount if missing else Decimal(0)), ends_at


def anchor_of(account: CreditAccount | None) -> datetime:
    """From when on the periods of an account follow each other; now for one that has no allowance."""
    has_allowance = account is not None and account.next_reset_at is not None
    return (account.allowance_anchor or clock.now()) if account and has_allowance else clock.now()


def reset_allowances() -> int:
    """Begin the running period of every allowance whose last one has ended; how many grants that made.

    Who missed several periods gets the running one: what the others would have granted has lapsed.
    """
    now = clock.now()
    return sweep(
        lambda after, limit: selectors.allowances_due(now=now, after=after, limit=limit),
        lambda user_ids: _reset(user_ids, now),
    )


@transaction.atomic
def _reset(user_ids: Sequence[int], now: datetime) -> int:
    # Read again under the lock: somebody else may have begun the period, or changed the plan.
    Opened.of_users(user_ids)
    due = [(account, _running_period(account, now)) for account in selectors.allowances_of(user_ids, now=now)]
    paid = [period for account, period in due if _is_paid(account, period)]
    unpaid = [period for account, period in due if not _is_paid(account, period)]
    outcomes = _grant(paid)
    refused = {user_id: outcome.error for user_id, outcome in outcomes.items() if isinstance(outcome, Rejection)}
    for user_id, error in refused.items():
        logger.error("allowance not granted", extra={"user_id": user_id, "error": str(error)})
    _move_resets({period.user_id: period.ends_at for period in paid if period.user_id not in refused}, now)
    # The payment ended while nobody looked; what is due after it waits for the next one.
    _move_resets({period.user_id: period.starts_at for period in unpaid}, now)
    return len(outcomes) - len(refused)


def _running_period(account: CreditAccount, now: datetime) -> Period:
    anchor = account.allowance_anchor or account.next_reset_at or now
    starts_at, ends_at = period_around(anchor, now, _zone())
    return Period(user_id=account.pk, amount=account.monthly_allowance, starts_at=starts_at, ends_at=ends_at)


def _is_paid(account: CreditAccount, period: Period) -> bool:
    return account.allowance_paid_until is None or period.starts_at < account.allowance_paid_until


def _grant(periods: Sequence[Period]) -> dict[int, Outcome]:
    """Let these periods of different customers grant what they miss; outcomes by customer. Accounts are locked."""
    if not periods:
        return {}
    since = min(period.starts_at for period in periods)
    granted = selectors.allowances_granted([period.user_id for period in periods], since=since)
    postings = [posting for period in periods if (posting := period.missing(granted))]
    outcomes = post_batch(postings) if postings else []
    return {posting.user_id: outcome for posting, outcome in zip(postings, outcomes, strict=True)}


def _period(start: datetime, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The period that runs now of those that follow ``start`` by the month; the only one if its ``end`` is told."""
    if end is None:
        return period_around(start, now, _zone())
    if not start < end:
        raise InvalidExpiry("A period ends after it starts.")
    return start.astimezone(UTC), end


def _grant_running(period: Period, now: datetime) -> list[Outcome]:
    return [*_grant([period]).values()] if period.starts_at <= now < period.ends_at else []


def _move_resets(moments: Mapping[int, datetime], now: datetime) -> None:
    for user_id, moment in moments.items():
        CreditAccount.objects.filter(pk=user_id).update(next_reset_at=moment, updated_at=now)


def _raise_first(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Rejection):
            raise outcome.error


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.REPORTING_TIME_ZONE)
