"""Charges: credits that a customer spends in the product."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from backoffice.lib import clock, statements
from credits.kinds import TransactionKind
from credits.postings import Posting, PostResult
from credits.services import idempotency
from credits.services.posting import post

CHARGE = """
SELECT * FROM credits_charge(%s::bigint, %s::numeric, %s::text, %s::text, %s::text, %s::text, %s::text, %s::jsonb,
                             %s::timestamptz, %s::timestamptz)
"""


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
        amount=-amount,
        idempotency_key=idempotency_key,
        action_type=action_type,
        description=description,
        reference=reference,
        metadata=metadata or {},
        event_at=event_at,
    )
    charge.check()
    return _charge_plainly(charge) or post(charge)


def _charge_plainly(charge: Posting) -> PostResult | None:
    """The charge in one statement, if nothing stands in its way: see the function in the migrations."""
    parameters = [
        charge.user_id,
        -charge.amount,
        charge.idempotency_key,
        idempotency.fingerprint(charge),
        charge.action_type,
        charge.description,
        charge.reference,
        json.dumps(charge.metadata) if charge.metadata else "{}",
        charge.event_at,
        clock.now(),
    ]
    try:
        # Outside of a transaction the statement is one by itself; inside, a failure must not end the caller's.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            row = statements.ask(CHARGE, parameters).fetchone()
    except IntegrityError as error:
        if not idempotency.is_key_collision(error):
            raise
        return None
    if row is None:
        return None
    entry_id, seq, balance_before, balance_after = row
    return PostResult(
        transaction_id=entry_id,
        seq=seq,
        amount=charge.amount,
        balance_before=balance_before,
        balance_after=balance_after,
    )
