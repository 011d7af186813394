"""A dispute, as Stripe tells of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.errors import Parked
from billing.models.statuses import DisputeStatus
from billing.payloads import id_at, moment_at, text_at, value_at, whole_at
from billing.stripe_amounts import converted, minor_units

# So it was called until there were inquiries: the payment was refunded, and with that the matter was closed.
FORMER_STATUSES = {"charge_refunded": DisputeStatus.WARNING_CLOSED}


@dataclass(frozen=True, kw_only=True)
class DisputeTold:
    """What Stripe said of a dispute at ``at`` (UTC), in a word of this ``rank`` (see ``billing.ordering``).

    ``amount_minor`` is in our minor units of ``currency``; ``fee_minor`` in those of ``fee_currency``, None until one
    was taken. ``closed_at`` is when it ended, if that was told at another time than the rest.
    """

    stripe_dispute_id: str
    amount_minor: int
    currency: str
    status: DisputeStatus
    reason: str = ""
    fee_minor: int | None = None
    fee_currency: str = ""
    evidence_due_at: datetime | None = None
    opened_at: datetime
    at: datetime
    rank: int = 0
    closed_at: datetime | None = None


def told_by_dispute(dispute: Any, *, at: datetime, rank: int) -> DisputeTold:
    """Read a dispute as it was at ``at``. Raises Parked."""
    dispute_id = id_at(dispute, "id")
    if not dispute_id:
        raise Parked("The event does not say which dispute it tells of. Look it up in Stripe.")
    currency = text_at(dispute, "currency", limit=3).upper()
    fee_minor, fee_currency = _fee(value_at(dispute, "balance_transactions"))
    return DisputeTold(
        stripe_dispute_id=dispute_id,
        amount_minor=minor_units(whole_at(dispute, "amount"), currency),
        currency=currency,
        status=_status(dispute),
        reason=text_at(dispute, "reason", limit=64),
        fee_minor=fee_minor,
        fee_currency=fee_currency,
        evidence_due_at=moment_at(dispute, "evidence_details", "due_by"),
        opened_at=moment_at(dispute, "created") or at,
        at=at,
        rank=rank,
    )


def _status(dispute: Any) -> DisputeStatus:
    status = text_at(dispute, "status", limit=64)
    if status in FORMER_STATUSES:
        return FORMER_STATUSES[status]
    if status not in DisputeStatus.values:
        raise Parked("The dispute has no state that we know. Look it up in Stripe and correct the credits by hand.")
    return DisputeStatus(status)


def _fee(moves: Any) -> tuple[int | None, str]:
    """What Stripe took for it on balance: of a dispute that was won some give the fee back."""
    fees = [
        (converted(whole_at(move, "fee"), currency), currency)
        for move in (moves if isinstance(moves, list) else [])
        if (currency := text_at(move, "currency", limit=3).upper())
    ]
    currencies = {currency for fee, currency in fees if fee is not None}
    if len(currencies) != 1:
        return None, ""
    return sum(fee for fee, _ in fees if fee is not None), currencies.pop()
