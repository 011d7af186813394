"""Acts on credits that a second person may have to allow: what is kept of a request, and how it is done in the end."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from backoffice.lib.money import format_credits, plain_credits
from credits import services
from credits.postings import PostResult

# Reversals count against the limit of adjustments, which is what they are; as requests they are verbs of their own.
REVERSE = "credits.reverse"


def addition(user_id: int, amount: Decimal, expires_at: datetime | None) -> dict[str, Any]:
    """Params of a gift or an adjustment of ``amount`` credits."""
    return {
        "user": user_id,
        "amount": plain_credits(amount),
        "expires_at": expires_at.isoformat() if expires_at else None,
    }


def undoing(transaction_id: int, amount: Decimal) -> dict[str, Any]:
    """Params of a refund or a reversal of ``amount`` credits of an entry."""
    return {"transaction": transaction_id, "amount": plain_credits(amount)}


def amount_in(params: Mapping[str, Any]) -> Decimal:
    return Decimal(params["amount"])


def expiry_in(params: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(params["expires_at"]) if params["expires_at"] else None


def adding(service: Callable[..., PostResult]) -> Callable[..., str]:
    """``gift_credits`` or ``adjust_credits`` as it is run once it is allowed."""

    def run(params: Mapping[str, Any], *, requested_by: User, decided_by: User, reason: str, key: str) -> str:
        return _told(
            service(
                user_id=params["user"],
                amount=amount_in(params),
                expires_at=expiry_in(params),
                reason=reason,
                actor=requested_by,
                approved_by=decided_by,
                idempotency_key=key,
            )
        )

    return run


def giving_back(service: Callable[..., PostResult]) -> Callable[..., str]:
    """``refund_usage`` or ``reverse_transaction`` as it is run once it is allowed."""

    def run(params: Mapping[str, Any], *, requested_by: User, decided_by: User, reason: str, key: str) -> str:
        return _told(
            service(
                transaction_id=params["transaction"],
                amount=amount_in(params),
                reason=reason,
                actor=requested_by,
                approved_by=decided_by,
                idempotency_key=key,
            )
        )

    return run


def _told(result: PostResult) -> str:
    done = f"{format_credits(abs(result.amount))} credits {'added' if result.amount > 0 else 'taken'}"
    return f"{done}, entry {result.transaction_id}. The balance is {format_credits(result.balance_after)}."


GIFT, ADJUST = adding(services.gift_credits), adding(services.adjust_credits)
REFUND_USAGE, REVERSE_ENTRY = giving_back(services.refund_usage), giving_back(services.reverse_transaction)
