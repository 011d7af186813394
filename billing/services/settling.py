"""Settling: a payment, its credits and the spend brought in line with what went back of its money."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from accounts import services as accounts
from backoffice.lib import clock
from billing import clawbacks
from billing.models import Dispute, Payment, PaymentStatus, Refund
from billing.models.statuses import GOING_BACK, MONEY_TAKEN, PAID
from billing.selectors import left_minor
from billing.services.families import lock_families
from billing.services.spend import count_spend
from credits.kinds import TransactionKind
from credits.selectors import clawbacks_of
from credits.services import claw_back, reinstate


@transaction.atomic
def settle_money_back(*, payment_id: int) -> None:
    """Bring a payment's sums and status, the credits it bought and the customer's spend in line with its refunds and
    disputes and with what its charge said last.

    What it writes follows from those rows alone: it may be called at any time and any number of times. A payment that
    was never paid is left alone. Raises the CreditError of a ledger that refuses it.
    """
    settle(lock_payment(payment_id))


def settle(payment: Payment) -> None:
    """The same for a payment that the transaction has locked, and that is as its row."""
    if payment.status not in PAID:
        return
    refunds = list(Refund.objects.filter(payment=payment).order_by("pk"))
    disputes = list(Dispute.objects.filter(payment=payment).order_by("pk"))
    changed = _set_sums(payment, refunds, disputes)
    _settle_credits(payment, refunds)
    if changed:
        count_spend(payment.user_id)


def lock_payment(payment_id: int) -> Payment:
    """The payment, locked with its family and its customer until the transaction ends. Raises Payment.DoesNotExist."""
    lock_families({Payment.objects.values_list("stripe_payment_id", flat=True).get(pk=payment_id)})
    payment = Payment.objects.get(pk=payment_id)
    # People before what is theirs, as everybody does who locks both.
    accounts.lock_customers([payment.user_id])
    return Payment.objects.select_for_update(no_key=True).get(pk=payment_id)


def _set_sums(payment: Payment, refunds: Sequence[Refund], disputes: Iterable[Dispute]) -> bool:
    refunded = _refunded(payment, refunds)
    taken = sum(dispute.amount_minor for dispute in disputes if dispute.status in MONEY_TAKEN)
    disputed = min(taken, payment.amount_minor)
    sums: dict[str, Any] = {
        "refunded_minor": refunded,
        "disputed_minor": disputed,
        "status": _status(payment.amount_minor, refunded, disputed),
    }
    if all(getattr(payment, name) == value for name, value in sums.items()):
        return False
    Payment.objects.filter(pk=payment.pk).update(**sums, updated_at=clock.now())
    for name, value in sums.items():
        setattr(payment, name, value)
    return True


def _refunded(payment: Payment, refunds: Sequence[Refund]) -> int:
    """What went back, by the refunds that Stripe knows and by what the charge said last, whichever knows of more.

    One that we have asked for without an answer is not known to have been made.
    """
    known = sum(refund.amount_minor for refund in refunds if _is_made(refund))
    by_charge = payment.charge_refunded_minor - sum(
        refund.amount_minor for refund in refunds if _failed_since(payment, refund)
    )
    return min(max(known, by_charge), payment.amount_minor)


def _is_made(refund: Refund) -> bool:
    return refund.stripe_refund_id is not None and refund.status in GOING_BACK


def _failed_since(payment: Payment, refund: Refund) -> bool:
    """Whether the charge's sum may hold a refund that failed at or after the moment when the charge said it."""
    said_at = payment.charge_as_of
    if said_at is None or refund.stripe_refund_id is None or refund.failed_at is None:
        return False
    return refund.refunded_at <= said_at <= refund.failed_at


def _status(amount: int, refunded: int, disputed: int) -> PaymentStatus:
    if disputed:
        return PaymentStatus.DISPUTED
    if refunded:
        return PaymentStatus.REFUNDED if refunded == amount else PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.SUCCEEDED


def _settle_credits(payment: Payment, refunds: Sequence[Refund]) -> None:
    if payment.transaction_id is None:
        return
    made = clawbacks_of(payment.transaction_id)
    standing = [
        clawbacks.Clawback(transaction_id=entry.pk, kind=TransactionKind(entry.kind), amount=-entry.amount)
        for entry, stands in made
        if stands
    ]
    wanted = clawbacks.targets(
        credits=payment.credits_purchased,
        paid_minor=payment.amount_minor,
        returned_minor=max(0, payment.refunded_minor - left_minor(payment, refunds)),
        disputed_minor=payment.disputed_minor,
    )
    for step in clawbacks.steps(wanted, standing):
        if isinstance(step, clawbacks.Reinstate):
            _give_back(payment, step.clawback)
        else:
            _take(payment, payment.transaction_id, step, [entry.kind for entry, _ in made])


def _take(payment: Payment, purchase_id: int, step: clawbacks.Take, made: Sequence[str]) -> None:
    # Each clawback of a kind has its number, whether it stands or was given back since.
    number = 1 + made.count(step.kind)
    claw_back(
        transaction_id=purchase_id,
        amount=step.amount,
        kind=step.kind,
        idempotency_key=f"stripe:payment_intent:{payment.stripe_payment_id}:{step.kind}:{number}",
        reference=payment.stripe_payment_id,
        description="The payment was " + ("refunded" if step.kind == TransactionKind.REVERSAL else "disputed"),
    )


def _give_back(payment: Payment, clawback: clawbacks.Clawback) -> None:
    reinstate(
        transaction_id=clawback.transaction_id,
        idempotency_key=f"stripe:payment_intent:{payment.stripe_payment_id}:reinstatement:{clawback.transaction_id}",
        reference=payment.stripe_payment_id,
        description="A refund failed, or less is disputed",
    )
