"""A charge, as Stripe tells of it: whether money came in, what of it went back, and Stripe's fee."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from billing.models.payments import MAX_MINOR
from billing.payloads import id_at, text_at, value_at, whole_at
from billing.stripe_amounts import converted

FAILURE_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class Fee:
    """What Stripe kept and what it settled, both in minor units of ``currency``, that of settlement (ISO, capitals)."""

    fee_minor: int
    net_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class ChargeTold:
    """What was said at ``at`` (UTC) of a charge that took money. ``refunded``: in Stripe's units, None if not said."""

    charge_id: str
    refunded: int | None
    fee: Fee | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """How much of a charge went back, in Stripe's units: said last at ``as_of``, and the same ever since ``since``."""

    amount: int
    as_of: datetime
    since: datetime


def takes_money(charge: Any) -> bool:
    """Whether the charge succeeded and was captured: one that only reserves has moved nothing."""
    succeeded = text_at(charge, "status", limit=64) == "succeeded" and value_at(charge, "paid") is not False
    return succeeded and value_at(charge, "captured") is not False


def taken(charge: Any) -> int | None:
    """How much it took, in Stripe's units: what was captured of it."""
    captured = whole_at(charge, "amount_captured")
    return whole_at(charge, "amount") if captured is None else captured


def told_by_charge(charge: Any, *, at: datetime) -> ChargeTold:
    """Read a charge that took money, as it was at ``at``."""
    return ChargeTold(
        charge_id=id_at(charge, "id"),
        refunded=_refunded(charge),
        fee=fee_of(value_at(charge, "balance_transaction")),
        at=at,
    )


def last_refunded(told: Iterable[ChargeTold]) -> Refunded | None:
    """What a charge said last of how much of it went back; None if it never did."""
    said = sorted((each.at, each.refunded) for each in told if each.refunded is not None)
    if not said:
        return None
    as_of, amount = said[-1]
    same = takewhile(lambda each: each[1] == amount, reversed(said))
    return Refunded(amount=amount, as_of=as_of, since=min(at for at, _ in same))


def _refunded(charge: Any) -> int | None:
    said = whole_at(charge, "amount_refunded")
    # What cannot be a sum is no word that nothing went back.
    if said is None or not 0 <= said <= MAX_MINOR:
        return None
    amount, took = whole_at(charge, "amount") or 0, taken(charge) or 0
    # What was reserved and never taken counts as refunded at Stripe's; no money went back with it.
    return max(0, said - max(0, amount - took))


def fee_of(balance_transaction: Any) -> Fee | None:
    """Read a balance transaction; None if it is given by its id alone, or not yet."""
    currency = text_at(balance_transaction, "currency", limit=3).upper()
    fee = converted(whole_at(balance_transaction, "fee"), currency)
    net = converted(whole_at(balance_transaction, "net"), currency)
    return None if fee is None or net is None else Fee(fee_minor=fee, net_minor=net, currency=currency)


def listed_refunds(charge: Any) -> list[Any]:
    """The refunds that stand in the charge itself, as they did until 2022-11-15."""
    found = value_at(charge, "refunds", "data")
    return found if isinstance(found, list) else []


def failure_of(attempt: Any) -> str:
    """Why a charge or a payment intent came to nothing, in Stripe's words; empty if it does not say."""
    return (
        text_at(attempt, "failure_message", limit=FAILURE_LENGTH)
        or text_at(attempt, "last_payment_error", "message", limit=FAILURE_LENGTH)
        or text_at(attempt, "cancellation_reason", limit=FAILURE_LENGTH)
    )
