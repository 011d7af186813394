"""Gifts: credits that staff hand out."""

from datetime import datetime
from decimal import Decimal

from accounts.models import User
from audit.actions import Action
from credits.kinds import TransactionKind
from credits.limits import Limit
from credits.postings import Posting, PostResult
from credits.services.evidence import post_as_staff


def gift_credits(
    *,
    user_id: int,
    amount: Decimal,
    reason: str,
    actor: User,
    idempotency_key: str,
    expires_at: datetime | None = None,
    approved_by: User | None = None,
) -> PostResult:
    """Give a customer ``amount`` credits, which lapse at ``expires_at`` (UTC) if told.

    The same key again answers the first gift and writes nothing. ``approved_by`` is the second person whose limit it
    counts against. Raises ReasonMissing, LimitExceeded, InvalidAmount, InvalidExpiry, UnknownUser, DemoCustomer,
    CustomerRetired, IdempotencyConflict.
    """
    gift = Posting(
        user_id=user_id,
        kind=TransactionKind.GIFT,
        amount=amount,
        idempotency_key=idempotency_key,
        description=reason,
        actor_id=actor.pk,
        expires_at=expires_at,
    )
    return post_as_staff(
        gift,
        action=Action.CREDITS_GIFT,
        limit=Limit.GIFT,
        actor=actor,
        approved_by=approved_by,
        reason=reason,
        expires_at=expires_at,
    )
