"""Corrections that staff book by hand: a balance either way, or an entry that should not have been."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings

from accounts.models import User
from audit.actions import Action
from credits.acts import Reversal
from credits.kinds import TransactionKind
from credits.limits import Limit
from credits.postings import Posting, PostResult
from credits.services.evidence import post_as_staff


def adjust_credits(
    *,
    user_id: int,
    amount: Decimal,
    reason: str,
    actor: User,
    idempotency_key: str,
    expires_at: datetime | None = None,
    approved_by: User | None = None,
) -> PostResult:
    """Correct a balance by ``amount`` credits, positive or negative; never below what is available.

    Credits that are added lapse at ``expires_at`` (UTC) if told. The same key again answers the first adjustment and
    writes nothing. ``approved_by`` is the second person whose limit it counts against. Raises ReasonMissing,
    LimitExceeded, InvalidAmount, InvalidExpiry, InsufficientCredits, UnknownUser, DemoCustomer,
    CustomerRetired, IdempotencyConflict.
    """
    adjustment = Posting(
        user_id=user_id,
        kind=TransactionKind.ADJUSTMENT,
        amount=amount,
        idempotency_key=idempotency_key,
        description=reason,
        actor_id=actor.pk,
        expires_at=expires_at,
    )
    return post_as_staff(
        adjustment,
        action=Action.CREDITS_ADJUST,
        limit=Limit.ADJUST,
        actor=actor,
        approved_by=approved_by,
        reason=reason,
        expires_at=expires_at,
    )


def reverse_transaction(
    *,
    transaction_id: int,
    reason: str,
    actor: User,
    idempotency_key: str,
    amount: Decimal | None = None,
    approved_by: User | None = None,
) -> PostResult:
    """Undo an entry by an adjustment of ``amount`` credits, all that can be undone unless told.

    Of credits that came in free it takes back what is neither spent nor held, and never other credits; an expiry or a
    negative adjustment it gives back. The same key again answers the first reversal and writes nothing.
    ``approved_by`` is the second person whose limit it counts against. Raises ReasonMissing, LimitExceeded,
    UnknownTransaction, NotReversible, InsufficientCredits, RefundTooLarge, CustomerRetired, IdempotencyConflict.
    """
    reversal = Reversal(
        transaction_id=transaction_id,
        amount=amount,
        idempotency_key=idempotency_key,
        description=reason,
        actor_id=actor.pk,
        grace=settings.CREDIT_REFUND_GRACE,
    )
    return post_as_staff(
        reversal,
        action=Action.CREDITS_REVERSE,
        limit=Limit.ADJUST,
        actor=actor,
        approved_by=approved_by,
        reason=reason,
    )
