"""A refund, as Stripe tells of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.errors import Parked
from billing.models.statuses import RefundStatus
from billing.payloads import id_at, moment_at, text_at, value_at, whole_at
from billing.stripe_amounts import minor_units

# Under this key of the metadata stands the number of our row, when the refund was asked for here.
OUR_KEY = "backoffice_refund"
OUR_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
FAILURE_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class RefundTold:
    """What Stripe said of a refund at ``at`` (UTC), in a word of this ``rank`` (see ``billing.ordering``).

    ``amount_minor`` is in our minor units of ``currency``; ``ours`` is the number of our row, if we asked for it.
    ``failed_at`` is when it failed, if that was told at another time than the rest.
    """

    stripe_refund_id: str
    amount_minor: int
    currency: str
    status: RefundStatus
    stripe_reason: str = ""
    failure: str = ""
    created_at: datetime
    ours: int | None = None
    at: datetime
    rank: int = 0
    failed_at: datetime | None = None


def told_by_refund(refund: Any, *, at: datetime, rank: int) -> RefundTold:
    """Read a refund as it was at ``at``. Raises Parked."""
    refund_id = id_at(refund, "id")
    if not refund_id:
        raise Parked("The event does not say which refund it tells of. Look it up in Stripe.")
    currency = text_at(refund, "currency", limit=3).upper()
    return RefundTold(
        stripe_refund_id=refund_id,
        amount_minor=minor_units(whole_at(refund, "amount"), currency),
        currency=currency,
        status=_status(refund),
        stripe_reason=text_at(refund, "reason", limit=64),
        failure=text_at(refund, "failure_reason", limit=FAILURE_LENGTH),
        created_at=moment_at(refund, "created") or at,
        ours=_our_number(refund),
        at=at,
        rank=rank,
    )


def _status(refund: Any) -> RefundStatus:
    status = text_at(refund, "status", limit=64)
    if status not in RefundStatus.values:
        raise Parked("The refund has no state that we know. Look it up in Stripe and correct the credits by hand.")
    return RefundStatus(status)


def _our_number(refund: Any) -> int | None:
    number = value_at(refund, "metadata", OUR_KEY)
    return int(number) if isinstance(number, str) and OUR_NUMBER.fullmatch(number) else None
