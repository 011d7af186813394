"""Keeping payments that were tried: their rows, without credits and without effect on what was spent."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from backoffice.lib import clock
from billing.facts import Method
from billing.models import Payment, PaymentStatus
from billing.models.statuses import PAID


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A payment intent that is pending, failed or canceled, as it stood ``at`` (UTC)."""

    user_id: int
    stripe_payment_id: str
    stripe_invoice_id: str
    amount_minor: int
    currency: str
    status: PaymentStatus
    failure: str
    method: Method
    at: datetime


@transaction.atomic
def book_attempt(*, attempt: Attempt) -> None:
    """Keep how a payment stands. One that was paid stays so, a canceled one too, and what is older changes nothing."""
    columns = {
        "user_id": attempt.user_id,
        "stripe_invoice_id": attempt.stripe_invoice_id,
        "amount_minor": attempt.amount_minor,
        "currency": attempt.currency,
        "status": attempt.status,
        "failure": attempt.failure,
        "paid_at": attempt.at,
        **attempt.method.columns(),
    }
    payment, is_new = Payment.objects.select_for_update(no_key=True).get_or_create(
        stripe_payment_id=attempt.stripe_payment_id, defaults=columns
    )
    if is_new or not _moves(payment, attempt):
        return
    Payment.objects.filter(pk=payment.pk).update(**columns, updated_at=clock.now())


def _moves(payment: Payment, attempt: Attempt) -> bool:
    if payment.status in PAID:
        return False
    # A cancellation counts whenever it is told; else what is later.
    known = payment.status == PaymentStatus.CANCELED, payment.paid_at
    return (attempt.status == PaymentStatus.CANCELED, attempt.at) >= known
