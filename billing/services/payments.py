"""Booking a payment: its row, its credits and what follows from them, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import services as accounts
from accounts.models import Customer
from accounts.selectors import is_forgotten
from backoffice.lib import clock
from backoffice.lib.hooks import hooks
from backoffice.lib.money import format_credits
from billing.facts import UNKNOWN_METHOD, Method
from billing.models import Payment, PaymentStatus
from billing.models.statuses import PAID
from billing.readings.charges import Fee
from billing.services.families import lock_families
from billing.services.fees import set_fee
from billing.services.linking import link_customer
from billing.services.settling import lock_payment, settle
from billing.services.spend import count_spend
from credits.errors import DemoCustomer
from credits.kinds import TransactionKind
from credits.postings import Posting
from credits.services import post


@dataclass(frozen=True, kw_only=True)
class PaymentDetails:
    """What may become known after the money did. Times are UTC.

    ``charge_refunded_minor`` is what had gone back by the last word of the charge, at ``charge_as_of``, and by all its
    words since ``charge_refunded_at``.
    ``stripe_customer_id`` is by what Stripe knows the customer, and empty unless that is worth remembering.
    """

    paid_at: datetime
    charge_id: str = ""
    invoice_id: str = ""
    method: Method = UNKNOWN_METHOD
    fee: Fee | None = None
    charge_refunded_minor: int = 0
    charge_refunded_at: datetime | None = None
    charge_as_of: datetime | None = None
    stripe_customer_id: str = ""

    def columns(self) -> dict[str, Any]:
        """Those that are known. What is not told, or cannot be read any more, leaves a row as it is."""
        texts = {"stripe_charge_id": self.charge_id, "stripe_invoice_id": self.invoice_id, **self.method.columns()}
        return {name: text for name, text in texts.items() if text}


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A payment intent that succeeded: ``amount_minor`` minor units of ``currency`` for ``credits``.

    One that paid an invoice on which no pack stands buys 0 credits: the allowance of a subscription comes by its
    invoice.
    """

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
    # Whoever books the same payment waits here and then sees it.
    lock_families({purchase.stripe_payment_id})
    # People before what is theirs, as everybody does who locks both.
    accounts.lock_customers([purchase.user_id])
    transaction_id = _book_credits(purchase)
    payment = Payment.objects.filter(stripe_payment_id=purchase.stripe_payment_id).first()
    if payment and payment.status in PAID:
        return payment
    payment = _write(purchase, transaction_id, payment or Payment(stripe_payment_id=purchase.stripe_payment_id))
    _follow_up(purchase, payment)
    return payment


@transaction.atomic
def complete_payment(*, payment: Payment, details: PaymentDetails) -> None:
    """Bring what is known of a booked payment up to ``details``. Raises the CreditError of a ledger that refuses it."""
    payment = lock_payment(payment.pk)
    # The first moment that was ever told, since the event that told it may be emptied by now.
    columns = {**details.columns(), "paid_at": min(payment.paid_at, details.paid_at)}
    if is_forgotten(payment.user_id):
        # What was emptied of their card does not come back with a late event.
        columns = {name: value for name, value in columns.items() if name not in UNKNOWN_METHOD.columns()}
    if any(getattr(payment, name) != value for name, value in columns.items()):
        Payment.objects.filter(pk=payment.pk).update(**columns, updated_at=clock.now())
    _link(payment, details)
    _set_fee(payment, details)
    if _hear_charge(payment, details):
        settle(payment)


def _link(payment: Payment, details: PaymentDetails) -> None:
    if details.stripe_customer_id:
        link_customer(user_id=payment.user_id, stripe_customer_id=details.stripe_customer_id)


def _set_fee(payment: Payment, details: PaymentDetails) -> None:
    if fee := details.fee:
        set_fee(
            payment_id=payment.pk,
            fee_minor=fee.fee_minor,
            net_minor=fee.net_minor,
            settlement_currency=fee.currency,
        )


def _hear_charge(payment: Payment, details: PaymentDetails) -> bool:
    """Keep what the charge said last of its refunds; whether that is news."""
    said_at, refunded, refunded_at = details.charge_as_of, details.charge_refunded_minor, details.charge_refunded_at
    if said_at is None:
        return False
    # Of two words of one second the greater, since refunds add up.
    if payment.charge_as_of and (said_at, refunded) < (payment.charge_as_of, payment.charge_refunded_minor):
        return False
    if refunded_at and payment.charge_refunded_at and refunded == payment.charge_refunded_minor:
        # The event that said so first may be emptied by now.
        refunded_at = min(refunded_at, payment.charge_refunded_at)
    columns = {"charge_refunded_minor": refunded, "charge_as_of": said_at, "charge_refunded_at": refunded_at}
    if all(getattr(payment, name) == value for name, value in columns.items()):
        return False
    for name, value in columns.items():
        setattr(payment, name, value)
    payment.updated_at = clock.now()
    payment.save(update_fields=[*columns, "updated_at"])
    return True


def _book_credits(purchase: Purchase) -> int | None:
    if purchase.credits:
        return post(_posting(purchase)).transaction_id
    # The ledger refuses demo customers; what it is not asked about must not count for one either.
    if Customer.objects.filter(pk=purchase.user_id, demo_mode=True).exists():
        raise DemoCustomer(purchase.user_id)
    return None


def _write(purchase: Purchase, transaction_id: int | None, payment: Payment) -> Payment:
    columns = {
        "user_id": purchase.user_id,
        "amount_minor": purchase.amount_minor,
        "currency": purchase.currency,
        "status": PaymentStatus.SUCCEEDED,
        "failure": "",
        "credits_purchased": purchase.credits,
        "transaction_id": transaction_id,
        "paid_at": purchase.details.paid_at,
        # By what it was tried before may not be by what it was paid.
        **purchase.details.method.columns(),
        **purchase.details.columns(),
    }
    for name, value in columns.items():
        setattr(payment, name, value)
    if payment.pk is None:
        payment.save(force_insert=True)
    else:
        payment.updated_at = clock.now()
        payment.save(update_fields=[*columns, "updated_at"])
    return payment


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
    _set_fee(payment, purchase.details)
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
    if _hear_charge(payment, purchase.details) and purchase.details.charge_refunded_minor:
        settle(payment)
    hooks.fire("payment_succeeded", payment_id=payment.pk)
