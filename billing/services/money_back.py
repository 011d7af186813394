"""Booking refunds and disputes: a row each, as Stripe said last, and what follows for the payment."""

from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.lib import clock
from billing.errors import Parked
from billing.models import Payment, Refund, RefundStatus
from billing.models.statuses import GOING_BACK
from billing.readings.refunds import RefundTold
from billing.services.settling import lock_payment, settle_money_back

# A refund goes forward only, whatever is told late: it is on its way, made, and may fail even then.
STAGES = {
    RefundStatus.PENDING: 0,
    RefundStatus.REQUIRES_ACTION: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
    RefundStatus.CANCELED: 2,
}


@transaction.atomic
def book_refund(*, payment_id: int, told: RefundTold) -> Refund:
    """Keep what Stripe told of a refund of this payment, and settle the payment by it.

    The row is the one that Stripe's id names; else the one of ours that the metadata names, if Stripe has none for it
    yet; else a new one. What is older than what the row goes by changes nothing. Raises Parked for a refund that
    contradicts its payment, the CreditError of a ledger that refuses it, Payment.DoesNotExist.
    """
    payment = lock_payment(payment_id)
    refund = _row(payment, told)
    _check(payment, refund, told)
    if _is_news(refund, told):
        refund = _write(payment, refund, told)
    elif refund.failed_at and told.failed_at and told.failed_at < refund.failed_at:
        refund.failed_at = told.failed_at
        refund.save(update_fields=["failed_at"])
    settle_money_back(payment_id=payment_id)
    return refund


def _row(payment: Payment, told: RefundTold) -> Refund:
    known = Refund.objects.filter(stripe_refund_id=told.stripe_refund_id).first()
    if known is None and told.ours is not None:
        known = Refund.objects.filter(pk=told.ours, payment=payment, stripe_refund_id__isnull=True).first()
    return known or Refund(payment=payment)


def _check(payment: Payment, refund: Refund, told: RefundTold) -> None:
    if told.currency != payment.currency:
        raise Parked(
            f"The refund is in {told.currency}, and payment {payment.pk} in {payment.currency}. "
            "Compare both in Stripe and correct the credits by hand."
        )
    if refund.payment_id != payment.pk:
        raise Parked(
            f"The refund was booked for payment {refund.payment_id}, but this event says it is of payment "
            f"{payment.pk}. Compare them in Stripe and correct the credits by hand."
        )


def _is_news(refund: Refund, told: RefundTold) -> bool:
    if refund.as_of is None:
        return True
    known = (STAGES[RefundStatus(refund.status)], refund.as_of, refund.as_of_rank)
    return (STAGES[told.status], told.at, told.rank) >= known


def _write(payment: Payment, refund: Refund, told: RefundTold) -> Refund:
    columns: dict[str, Any] = {
        "stripe_refund_id": told.stripe_refund_id,
        "amount_minor": told.amount_minor,
        "status": told.status,
        "stripe_reason": told.stripe_reason,
        "failure": told.failure,
        "refunded_at": told.created_at,
        "failed_at": _failed_at(refund, told),
        # It is known what became of it: nothing is left to ask.
        "next_attempt_at": None,
        "as_of": told.at,
        "as_of_rank": told.rank,
        "updated_at": clock.now(),
    }
    for name, value in columns.items():
        setattr(refund, name, value)
    if refund.pk is None:
        refund.save(force_insert=True)
    else:
        refund.save(update_fields=list(columns))
    return refund


def _failed_at(refund: Refund, told: RefundTold) -> datetime | None:
    """When it failed, as the earliest word that says so has it."""
    if told.status in GOING_BACK:
        return None
    # A time that was entered before Stripe said anything is our own guess.
    known = refund.failed_at if refund.as_of else None
    return min(moment for moment in (known, told.failed_at, told.at) if moment)
