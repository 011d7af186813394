"""Booking refunds and disputes: a row each, as Stripe said last, and what follows for the payment."""

from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.lib import clock
from backoffice.lib.money import format_money
from billing.errors import Parked
from billing.models import Dispute, Payment, Refund, RefundStatus
from billing.models.statuses import DISPUTE_OVER, GOING_BACK
from billing.models.versions import Versioned
from billing.readings.disputes import DisputeTold
from billing.readings.refunds import RefundTold
from billing.services.settling import lock_payment, settle

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
    _check("refund", payment, refund, told.currency)
    _check_amount(payment, told)
    if _is_news(refund, told):
        _save(refund, _columns_of_refund(refund, told))
    elif refund.failed_at and told.failed_at:
        _save(refund, {"failed_at": min(refund.failed_at, told.failed_at)})
    settle(payment)
    return refund


@transaction.atomic
def book_dispute(*, payment_id: int, told: DisputeTold) -> Dispute:
    """Keep what Stripe told of a dispute of this payment, and settle the payment by it.

    From when the bank takes the money until it gives it back, the credits are clawed back. What is older than what the
    row goes by changes nothing, and what is over stays over. Raises Parked for a dispute that contradicts its payment,
    the CreditError of a ledger that refuses it, Payment.DoesNotExist.
    """
    payment = lock_payment(payment_id)
    known = Dispute.objects.filter(stripe_dispute_id=told.stripe_dispute_id).first()
    dispute = known or Dispute(payment=payment, stripe_dispute_id=told.stripe_dispute_id)
    _check("dispute", payment, dispute, told.currency)
    if _is_later(dispute, told):
        _save(dispute, _columns_of_dispute(dispute, told))
    elif dispute.closed_at and told.closed_at:
        _save(dispute, {"closed_at": min(dispute.closed_at, told.closed_at)})
    settle(payment)
    return dispute


def _is_later(dispute: Dispute, told: DisputeTold) -> bool:
    if dispute.as_of is None:
        return True
    known = (dispute.status in DISPUTE_OVER, dispute.as_of, dispute.as_of_rank)
    return (told.status in DISPUTE_OVER, told.at, told.rank) >= known


def _columns_of_dispute(dispute: Dispute, told: DisputeTold) -> dict[str, Any]:
    closed = [moment for moment in (dispute.closed_at, told.closed_at, told.at) if moment]
    columns: dict[str, Any] = {
        "amount_minor": told.amount_minor,
        "status": told.status,
        "reason": told.reason,
        "evidence_due_at": told.evidence_due_at,
        "opened_at": told.opened_at,
        "closed_at": min(closed) if told.status in DISPUTE_OVER else None,
        "as_of": told.at,
        "as_of_rank": told.rank,
    }
    if told.fee_minor is not None:
        columns |= {"fee_minor": told.fee_minor, "fee_currency": told.fee_currency}
    return columns


def _row(payment: Payment, told: RefundTold) -> Refund:
    known = Refund.objects.filter(stripe_refund_id=told.stripe_refund_id).first()
    if known is None and told.ours is not None:
        known = Refund.objects.filter(pk=told.ours, payment=payment, stripe_refund_id__isnull=True).first()
    return known or Refund(payment=payment)


def _check(what: str, payment: Payment, row: Refund | Dispute, currency: str) -> None:
    if currency != payment.currency:
        raise Parked(
            f"The {what} is in {currency}, and payment {payment.pk} in {payment.currency}. "
            "Compare both in Stripe and correct the credits by hand."
        )
    if row.payment_id != payment.pk:
        raise Parked(
            f"The {what} was booked for payment {row.payment_id}, but this event says it is of payment {payment.pk}. "
            "Compare them in Stripe and correct the credits by hand."
        )


def _check_amount(payment: Payment, told: RefundTold) -> None:
    # A dispute may well be of more: banks count in the payer's currency, by the rate of another day.
    if told.amount_minor > payment.amount_minor:
        refunded, paid = (format_money(minor, payment.currency) for minor in (told.amount_minor, payment.amount_minor))
        raise Parked(
            f"The refund is of {refunded}, and payment {payment.pk} of {paid}. Compare both in Stripe and correct the "
            "credits by hand."
        )


def _is_news(refund: Refund, told: RefundTold) -> bool:
    if refund.as_of is None:
        return True
    known = (STAGES[RefundStatus(refund.status)], refund.as_of, refund.as_of_rank)
    return (STAGES[told.status], told.at, told.rank) >= known


def _columns_of_refund(refund: Refund, told: RefundTold) -> dict[str, Any]:
    return {
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
    }


def _save(row: Versioned, columns: dict[str, Any]) -> None:
    columns["updated_at"] = clock.now()
    for name, value in columns.items():
        setattr(row, name, value)
    if row.pk is None:
        row.save(force_insert=True)
    else:
        row.save(update_fields=list(columns))


def _failed_at(refund: Refund, told: RefundTold) -> datetime | None:
    """When it failed, as the earliest word that says so has it."""
    if told.status in GOING_BACK:
        return None
    # A time that was entered before Stripe said anything is our own guess.
    known = refund.failed_at if refund.as_of else None
    return min(moment for moment in (known, told.failed_at, told.at) if moment)
