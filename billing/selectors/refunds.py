"""Reads of refunds: what of a payment can still go back, and what that would take."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q, Sum

from billing import clawbacks
from billing.models import CreditPolicy, Payment, Refund
from billing.models.statuses import GOING_BACK, PAID
from credits.models import CreditTransaction
from credits.selectors import clawbacks_of


def refundable_minor(payment: Payment) -> int:
    """What of a payment can still be given back, in minor units; refunds that are under way count as given."""
    if payment.status not in PAID:
        return 0
    # Those that Stripe has made are in the payment's own sum.
    asked = Refund.objects.filter(payment_id=payment.pk, status__in=GOING_BACK, stripe_refund_id__isnull=True)
    under_way = asked.aggregate(total=Sum("amount_minor"))["total"] or 0
    return max(0, payment.amount_minor - payment.refunded_minor - payment.disputed_minor - under_way)


def credits_to_take(payment: Payment, more_minor: int = 0) -> Decimal:
    """How many of its credits should be taken back for what went back of a payment, and for ``more_minor`` of it."""
    wanted = clawbacks.targets(
        credits=payment.credits_purchased,
        paid_minor=payment.amount_minor,
        returned_minor=max(0, payment.refunded_minor - left_minor(payment, payment.refunds.all())) + more_minor,
        disputed_minor=payment.disputed_minor,
    )
    return sum(wanted.values(), Decimal(0))


def credits_taken(payment: Payment) -> Decimal:
    """How many of the credits that a payment bought are taken back."""
    return taken_of_purchase(payment.transaction_id) if payment.transaction_id else Decimal(0)


def entries_of_payment(payment: Payment) -> list[CreditTransaction]:
    """The purchase of a payment, and what was taken of it and given back, in order."""
    if payment.transaction is None:
        return []
    about = CreditTransaction.objects.filter(
        Q(reverses=payment.transaction_id) | Q(reverses__reverses=payment.transaction_id)
    )
    return [payment.transaction, *about.order_by("account", "seq")]


def taken_of_purchase(transaction_id: int) -> Decimal:
    """How many credits of a purchase are taken back."""
    return sum((-entry.amount for entry, stands in clawbacks_of(transaction_id) if stands), Decimal(0))


def left_minor(payment: Payment, refunds: Iterable[Refund]) -> int:
    """What of ``payment.refunded_minor`` was given back without taking the credits, by the payment's ``refunds``.

    The charge may tell of a refund of ours before Stripe has answered for it: what went back beyond those that Stripe
    has named is taken for one that was to leave the credits, as far as any was asked for.
    """
    going = [refund for refund in refunds if refund.is_going_back]
    leaving = [refund for refund in going if refund.policy == CreditPolicy.LEAVE]
    named = sum(refund.amount_minor for refund in going if refund.stripe_refund_id)
    asked = sum(refund.amount_minor for refund in leaving if not refund.stripe_refund_id)
    made = sum(refund.amount_minor for refund in leaving if refund.stripe_refund_id)
    return made + min(asked, max(0, payment.refunded_minor - named))
