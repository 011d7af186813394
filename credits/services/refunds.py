"""Refunds of usage, clawbacks of purchases, and their reinstatement."""

from decimal import Decimal

from django.conf import settings

from accounts.models import User
from audit.actions import Action
from credits.acts import Clawback, Refund, Reinstatement
from credits.kinds import TransactionKind
from credits.limits import Limit
from credits.postings import PostResult
from credits.services.evidence import post_as_staff
from credits.services.posting import post


def refund_usage(
    *,
    transaction_id: int,
    amount: Decimal | None,
    reason: str,
    idempotency_key: str,
    actor: User | None = None,
    approved_by: User | None = None,
) -> PostResult:
    """Give back ``amount`` credits of a usage, all that is left of it unless told, to the lots they came from.

    With an ``actor`` it is an act of staff, audited, and counts against a limit: the actor's, or that of the second
    person who allowed it, ``approved_by``. The same key again answers the first refund and writes nothing. Raises
    ReasonMissing and LimitExceeded (of staff), UnknownTransaction, NotReversible, RefundTooLarge, InvalidAmount,
    IdempotencyConflict.
    """
    refund = Refund(
        transaction_id=transaction_id,
        amount=amount,
        idempotency_key=idempotency_key,
        description=reason,
        actor_id=actor.pk if actor else None,
        grace=settings.CREDIT_REFUND_GRACE,
    )
    if actor is None:
        return post(refund)
    return post_as_staff(
        refund,
        action=Action.CREDITS_REFUND,
        limit=Limit.REFUND,
        actor=actor,
        approved_by=approved_by,
        reason=reason,
        # It goes back to where it was spent, and from there on to who stayed.
        reaches_retired=True,
    )


def claw_back(
    *,
    transaction_id: int,
    amount: Decimal,
    kind: TransactionKind,
    idempotency_key: str,
    reference: str = "",
    description: str = "",
) -> PostResult:
    """Take ``amount`` credits of a purchase back, as ``kind`` says: reversal (refunded) or chargeback (disputed).

    What is spent or held becomes debt, which later credits pay first. Raises UnknownTransaction, NotReversible,
    ClawbackTooLarge, InvalidAmount, IdempotencyConflict.
    """
    return post(
        Clawback(
            transaction_id=transaction_id,
            amount=amount,
            kind=kind,
            idempotency_key=idempotency_key,
            reference=reference,
            description=description,
        )
    )


def reinstate(*, transaction_id: int, idempotency_key: str, reference: str = "", description: str = "") -> PostResult:
    """Give a whole clawback back: a dispute was won, a refund failed.

    Raises UnknownTransaction, NotReversible, AlreadyReinstated, IdempotencyConflict.
    """
    return post(
        Reinstatement(
            transaction_id=transaction_id,
            idempotency_key=idempotency_key,
            reference=reference,
            description=description,
            grace=settings.CREDIT_REFUND_GRACE,
        )
    )
