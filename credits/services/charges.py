"""Charges: credits that a customer spends in the product."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from credits.kinds import TransactionKind
from credits.postings import Posting, PostResult
from credits.services.posting import post


def charge_credits(
    *,
    user_id: int,
    amount: Decimal,
    idempotency_key: str,
    action_type: str = "",
    description: str = "",
    reference: str = "",
    metadata: Mapping[str, Any] | None = None,
    event_at: datetime | None = None,
) -> PostResult:
    """Take ``amount`` credits (more than 0) for something the customer did at ``event_at`` (UTC, now unless told).

    The same key again answers the first charge and writes nothing. Raises InvalidAmount, InvalidText, UnknownUser,
    CustomerBanned, CustomerSuspended, InsufficientCredits, IdempotencyConflict.
    """
    charge = Posting(
        user_id=user_id,
        kind=TransactionKind.USAGE,
        # Not by the operator, which rounds to 28 digits.
        amount=amount.copy_negate(),
        idempotency_key=idempotency_key,
        action_type=action_type,
        description=description,
        reference=reference,
        metadata=metadata or {},
        event_at=event_at,
    )
    return post(charge)
