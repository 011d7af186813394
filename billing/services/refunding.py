"""Giving money back: a refund is kept here, within limits and audited, before Stripe is asked to make it."""

from decimal import Decimal

from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.money import format_money
from billing import limits, selectors, stripe_api
from billing.errors import NotRefundable, ReasonMissing, StripeNotConfigured
from billing.limits import Limit
from billing.models import CreditPolicy, Payment, Refund
from billing.models.statuses import PAID
from billing.services.families import lock_families
from billing.services.inbox import SWEEP_GRACE
from billing.stripe_amounts import stripe_units
from jobs.errors import TokenReused
from jobs.services import count_use, lock_staff


@transaction.atomic
def request_refund(
    *,
    payment_id: int,
    amount_minor: int | None,
    policy: CreditPolicy,
    reason: str,
    actor: User,
    approved_by: User | None = None,
    idempotency_key: str,
) -> Refund:
    """Keep that ``amount_minor`` units of a payment's currency, or all that is left of it, are to be given back.

    Once for each ``idempotency_key``, under which Stripe is asked too: by ``make_refund``, once this is committed. It
    counts against the limit of ``actor``, or of the second person who allowed it. Raises ReasonMissing,
    StripeNotConfigured, NotRefundable, LimitExceeded, TokenReused, Payment.DoesNotExist.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: the reason is kept with the refund and in the audit log.")
    if not stripe_api.is_configured():
        raise StripeNotConfigured
    # Staff before the payment's family, as approvals do it: events never lock staff, so this is an order too.
    lock_staff(approved_by or actor)
    payment = _locked(payment_id)
    if asked := Refund.objects.filter(idempotency_key=idempotency_key).first():
        _check_same(asked, payment, amount_minor, policy)
        return asked
    amount = checked_amount(payment, amount_minor)
    _count(payment, amount, holder=approved_by or actor, key=idempotency_key)
    now = clock.now()
    refund = Refund.objects.create(
        payment=payment,
        idempotency_key=idempotency_key,
        amount_minor=amount,
        policy=policy,
        reason=reason,
        actor=actor,
        refunded_at=now,
        next_attempt_at=now + SWEEP_GRACE,
    )
    _record(refund, payment, actor=actor, approved_by=approved_by, reason=reason)
    return refund


def checked_amount(payment: Payment, amount_minor: int | None) -> int:
    """The amount that can be given back now, in minor units: what is asked for, or all that is left.

    Raises NotRefundable.
    """
    if payment.status not in PAID:
        raise NotRefundable(f"This payment is {payment.get_status_display().lower()}: there is nothing to give back.")
    left = selectors.refundable_minor(payment)
    amount = left if amount_minor is None else amount_minor
    if left == 0:
        raise NotRefundable("Nothing is left of this payment: all of it went back, is on its way, or is disputed.")
    if not 0 < amount <= left:
        raise NotRefundable(f"At most {format_money(left, payment.currency)} of this payment can be given back.")
    stripe_units(amount, payment.currency)
    return amount


def _locked(payment_id: int) -> Payment:
    stripe_payment_id = Payment.objects.values_list("stripe_payment_id", flat=True).get(pk=payment_id)
    lock_families({stripe_payment_id})
    return Payment.objects.select_for_update(no_key=True).get(pk=payment_id)


def _check_same(asked: Refund, payment: Payment, amount_minor: int | None, policy: CreditPolicy) -> None:
    same_amount = amount_minor is None or asked.amount_minor == amount_minor
    if not (same_amount and asked.payment_id == payment.pk and asked.policy == policy):
        raise TokenReused


def _count(payment: Payment, amount: int, *, holder: User, key: str) -> None:
    worth = limits.counted(amount, payment.currency)
    limits.check_countable(staff=holder, verb=Limit.REFUND, amount=worth, currency=payment.currency)
    # Without a rate nobody with a limit comes so far. The use stands for the key all the same.
    count_use(staff=holder, verb=Limit.REFUND, amount=worth or Decimal(0), key=key)


def _record(refund: Refund, payment: Payment, *, actor: User, approved_by: User | None, reason: str) -> None:
    left = selectors.refundable_minor(payment)
    new_values = {
        "payment": payment.stripe_payment_id,
        "refund": refund.pk,
        "amount_minor": refund.amount_minor,
        "currency": payment.currency,
        "policy": refund.policy,
        "left_minor": left,
    }
    if approved_by is not None:
        new_values["approved_by"] = str(approved_by)
    audit.record(
        action=Action.PAYMENT_REFUND_ASKED,
        actor=actor,
        resource=audit.Resource("accounts.user", str(payment.user_id), f"user {payment.user_id}"),
        old_values={"left_minor": left + refund.amount_minor},
        new_values=new_values,
        reason=reason,
    )
