"""Booking a payment: its row, its credits and what follows from them, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import services as accounts
from backoffice.lib import clock
from backoffice.lib.money import format_credits
from billing.facts import UNKNOWN_METHOD, Method
from billing.models import Payment, PaymentStatus
from billing.services.spend import count_spend
from credits.kinds import TransactionKind
from credits.postings import Posting, PostResult
from credits.services import post


@dataclass(frozen=True, kw_only=True)
class PaymentDetails:
    """What may become known after the money did. ``paid_at`` is UTC.

    ``stripe_customer_id`` is by what Stripe knows the customer, and empty unless that is worth remembering.
    """

    paid_at: datetime
    charge_id: str = ""
    method: Method = UNKNOWN_METHOD
    stripe_customer_id: str = ""

    def columns(self) -> dict[str, Any]:
        return {
            "paid_at": self.paid_at,
            "stripe_charge_id": self.charge_id,
            "payment_method_type": self.method.type,
            "payment_method_brand": self.method.brand,
            "payment_method_last4": self.method.last4,
        }


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A payment intent that succeeded: ``amount_minor`` minor units of ``currency`` for ``credits``."""

    user_id: int
    stripe_payment_id: str
    amount_minor: int
    currency: str
    credits: Decimal
    details: PaymentDetails


@transaction.atomic
def book_payment(*, purchase: Purchase) -> Payment:
    """Book a payment and its credits, once for each payment intent, however often and from how many sides it is told.

    Raises the CreditError of a ledger that refuses it.
    """
    # First the ledger: it locks the customer's account, so whoever books the same payment waits here and then sees it.
    result = post(_posting(purchase))
    payment, is_new = Payment.objects.get_or_create(
        stripe_payment_id=purchase.stripe_payment_id, defaults=_columns(purchase, result)
    )
    if is_new:
        _follow_up(purchase, payment)
    return payment


@transaction.atomic
def complete_payment(*, payment: Payment, details: PaymentDetails) -> None:
    """Bring what is known of a booked payment up to ``details``."""
    columns = details.columns()
    if any(getattr(payment, name) != value for name, value in columns.items()):
        Payment.objects.filter(pk=payment.pk).update(**columns, updated_at=clock.now())
    _link(payment, details)


def _link(payment: Payment, details: PaymentDetails) -> None:
    if details.stripe_customer_id:
        accounts.link_stripe_customer(user_id=payment.user_id, stripe_customer_id=details.stripe_customer_id)


def _columns(purchase: Purchase, result: PostResult) -> dict[str, Any]:
    return {
        "user_id": purchase.user_id,
        "amount_minor": purchase.amount_minor,
        "currency": purchase.currency,
        "status": PaymentStatus.SUCCEEDED,
        "credits_purchased": purchase.credits,
        "transaction_id": result.transaction_id,
        **purchase.details.columns(),
    }


def _posting(purchase: Purchase) -> Posting:
    return Posting(
        user_id=purchase.user_id,
        kind=TransactionKind.PURCHASE,
        amount=purchase.credits,
        idempotency_key=f"stripe:payment_intent:{purchase.stripe_payment_id}",
        description=f"Purchase of {format_credits(purchase.credits)} credits",
        reference=purchase.stripe_payment_id,
        event_at=purchase.details.paid_at,
        paid_minor=purchase.amount_minor,
        currency=purchase.currency,
    )


def _follow_up(purchase: Purchase, payment: Payment) -> None:
    _link(payment, purchase.details)
    accounts.record_activity(
        event_id=f"payment:{payment.pk}",
        action="purchase",
        user_id=purchase.user_id,
        at=payment.paid_at,
        details={
            "payment": payment.stripe_payment_id,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "credits": f"{payment.credits_purchased.normalize():f}",
        },
    )
    count_spend(purchase.user_id)
