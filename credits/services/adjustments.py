"""Adjustments: corrections that staff book by hand, either way."""

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
def adjust_credits(*, user_id: int, amount: Decimal, reason: str, actor: User, idempotency_key: str) -> PostResult:
    """Correct a balance by ``amount`` credits, positive or negative; never below what is available.

    The same key again answers the first adjustment and writes nothing. Raises ReasonMissing, InvalidAmount,
    InsufficientCredits, UnknownUser, DemoCustomer, IdempotencyConflict.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the balance is corrected.")
    result = post(
        Posting(
            user_id=user_id,
            kind=TransactionKind.ADJUSTMENT,
            amount=amount,
            idempotency_key=idempotency_key,
            description=reason,
            actor_id=actor.pk,
        )
    )
    if not result.replayed:
        audit.record(
            action=Action.CREDITS_ADJUST,
            actor=actor,
            resource=audit.Resource("accounts.user", str(user_id), f"user {user_id}"),
            old_values={"balance": plain_credits(result.balance_before)},
            new_values={"balance": plain_credits(result.balance_after), "transaction": result.transaction_id},
            reason=reason,
        )
    return result
