"""A payment as programs of staff see it."""

from pydantic import BaseModel

from backoffice.lib.api.values import AmountOut, UtcTime
from billing import selectors
from billing.models import Payment


class PaymentOut(BaseModel):
    """`amount_minor` is in minor units of `currency`: cents, yen. `transaction` is null of what bought no credits."""

    id: int
    stripe_payment_id: str
    amount_minor: int
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
        currency=payment.currency,
        status=payment.status,
        method=payment.method,
        credits=payment.credits_purchased,
        transaction=payment.transaction_id,
        paid_at=payment.paid_at,
    )
