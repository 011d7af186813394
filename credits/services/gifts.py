"""Gifts: credits that staff hand out."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib.money import plain_credits
from credits.errors import ReasonMissing
from credits.kinds import TransactionKind
from credits.postings import Posting, PostResult
from credits.services.posting import post


@transaction.atomic
def gift_credits(
    *,
    user_id: int,
    amount: Decimal,
    reason: str,
    actor: User,
    idempotency_key: str,
    expires_at: datetime | None = None,
) -> PostResult:
    """Give a customer ``amount`` credits, which lapse at ``expires_at`` (UTC) if told.

    The same key again answers the first gift and writes nothing. Raises ReasonMissing, InvalidAmount, InvalidExpiry,
    UnknownUser, DemoCustomer, IdempotencyConflict.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the customer gets these credits.")
    result = post(
        Posting(
            user_id=user_id,
            kind=TransactionKind.GIFT,
            amount=amount,
            idempotency_key=idempotency_key,
            description=reason,
            actor_id=actor.pk,
            expires_at=expires_at,
        )
    )
    if not result.replayed:
        _record(user_id, reason, actor, result, expires_at)
    return result


def _record(user_id: int, reason: str, actor: User, result: PostResult, expires_at: datetime | None) -> None:
    audit.record(
        action=Action.CREDITS_GIFT,
        actor=actor,
        resource=audit.Resource("accounts.user", str(user_id), f"user {user_id}"),
        old_values={"balance": plain_credits(result.balance_before)},
        new_values={
            "balance": plain_credits(result.balance_after),
            "amount": plain_credits(result.amount),
            "transaction": result.transaction_id,
            "expires_at": expires_at.isoformat() if expires_at else None,
        },
        reason=reason,
    )
