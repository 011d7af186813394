"""Holds: credits reserved while the product works, then captured or released."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from credits.acts import CaptureHold, PlaceHold, ReleaseHold
from credits.postings import HoldResult
from credits.services.posting import hold

DEFAULT_HOLD = timedelta(hours=24)


def place_hold(
    *,
    user_id: int,
    amount: Decimal,
    idempotency_key: str,
    reference: str = "",
    expires_in: timedelta | None = None,
) -> HoldResult:
    """Reserve ``amount`` credits (more than 0) for ``expires_in``, 24 hours unless told.

    Raises InvalidAmount, InvalidText, InvalidExpiry, UnknownUser, CustomerBanned, CustomerSuspended,
    InsufficientCredits, IdempotencyConflict.
    """
    return hold(
        PlaceHold(
            user_id=user_id,
            amount=amount,
            idempotency_key=idempotency_key,
            reference=reference,
            expires_in=DEFAULT_HOLD if expires_in is None else expires_in,
        )
    )


def capture_hold(
    *,
    hold_id: int,
    amount: Decimal | None,
    idempotency_key: str,
    action_type: str = "",
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    event_at: datetime | None = None,
) -> HoldResult:
    """Spend ``amount`` credits of a hold, all of it unless told; the rest is released.

    Raises UnknownHold, HoldClosed, CaptureTooLarge, InvalidAmount, InvalidText, IdempotencyConflict.
    """
    return hold(
        CaptureHold(
            hold_id=hold_id,
            amount=amount,
            idempotency_key=idempotency_key,
            action_type=action_type,
            description=description,
            metadata=metadata or {},
            event_at=event_at,
        )
    )


def release_hold(*, hold_id: int, idempotency_key: str) -> HoldResult:
    """Let a hold go unspent. Raises UnknownHold, HoldClosed, IdempotencyConflict."""
    return hold(ReleaseHold(hold_id=hold_id, idempotency_key=idempotency_key))
