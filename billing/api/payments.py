"""A payment as programs of staff see it."""

from pydantic import BaseModel

from backoffice.lib.api.values import AmountOut, UtcTime
from billing import selectors
from billing.models import Payment


class PaymentOut(BaseModel):
    """Amounts are in minor units of `currency`: cents, yen. `transaction` is null of what bought no credits.

    `paid_at` is when it was last tried, if `status` is pending, failed or canceled.
    """

    id: int
    stripe_payment_id: str
    amount_minor: int
    refunded_minor: int
    disputed_minor: int
    currency: str
    status: str
    method: str
    credits: AmountOut
    transaction: int | None
    paid_at: UtcTime


def latest(user_id: int, limit: int) -> list[PaymentOut]:
    """A customer's latest payments, newest first."""
    return [_shown(payment) for payment in selectors.latest_payments(user_id=user_id, limit=limit)]


def _shown(payment: Payment) -> PaymentOut:
    return PaymentOut(
        id=payment.pk,
        stripe_payment_id=payment.stripe_payment_id,
        amount_minor=payment.amount_minor,
        refunded_minor=payment.refunded_minor,
        disputed_minor=payment.disputed_minor,
        currency=payment.currency,
        status=payment.status,
        method=payment.method,
        credits=payment.credits_purchased,
        transaction=payment.transaction_id,
        paid_at=payment.paid_at,
    )
