"""Having Stripe make a refund that was asked for, and finding out whether it did when its answer was lost.

Stripe is asked to make each refund once at most. Whatever became of a call without an answer is read from Stripe's list
of the payment's refunds, where ours carry our id: a second call could make a second refund.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import stripe
import structlog
from django.db import transaction

from backoffice.lib import clock
from billing import stripe_api
from billing.errors import BillingError
from billing.models import Refund, RefundStatus
from billing.readings.refunds import told_by_refund
from billing.services.families import lock_families
from billing.services.money_back import book_refund
from billing.services.settling import settle_money_back
from billing.stripe_amounts import stripe_units
from credits.errors import CreditError

log = structlog.get_logger(__name__)

# Longer than a call can take, its connection and the booking included.
LEASE = timedelta(minutes=2)
# After a call without an answer Stripe's list is looked at: first when its lease ends, then so long after each look.
WAITS = (timedelta(minutes=15), timedelta(hours=1))
RETRY = timedelta(minutes=10)
# Before that, no number of looks says that a refund was never made.
SURE_AFTER = timedelta(hours=1)
LONGEST_FAILURE = 500
# Of these, none says that nothing was done: a request that timed out, or one that is still being worked on.
UNCERTAIN = (408, 409)
NEVER_MADE = "Stripe was asked for it and has no such refund. Ask for it again if it is still due."


def make_refund(*, refund_id: int) -> Refund:
    """Have Stripe make a refund, unless it was asked to before; the refund as it then is. Not inside a transaction.

    What Stripe refuses has failed; without an answer it stays pending, until a sweep knows more.
    """
    refund = _claimed(refund_id)
    if refund is not None:
        try:
            made = stripe_api.create_refund(
                payment_intent=refund.payment.stripe_payment_id,
                amount=stripe_units(refund.amount_minor, refund.payment.currency),
                refund_id=refund.pk,
                idempotency_key=refund.idempotency_key or "",
            )
        except stripe.StripeError as error:
            if not _is_definite(error):
                log.warning("refund_without_answer", refund=refund_id, error=str(error))
            else:
                _fail(refund, error.user_message or str(error))
        else:
            _book(refund, made)
    return Refund.objects.select_related("payment").get(pk=refund_id)


def resolve_refund(*, refund_id: int) -> None:
    """Go on with a refund that is due: ask for it, or look whether Stripe has made it. Not inside a transaction."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.stripe_refund_id or refund.status != RefundStatus.PENDING:
        Refund.objects.filter(pk=refund_id).update(next_attempt_at=None)
    elif not stripe_api.is_configured():
        Refund.objects.filter(pk=refund_id).update(next_attempt_at=clock.now() + RETRY)
    elif refund.attempts == 0:
        make_refund(refund_id=refund_id)
    else:
        _look_for(refund)


@transaction.atomic
def claim_due_refunds(*, limit: int) -> list[int]:
    """Ids of refunds that are due, each handed out once in LEASE."""
    now = clock.now()
    due = Refund.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    ids = list(due.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:limit])
    Refund.objects.filter(pk__in=ids).update(next_attempt_at=now + LEASE)
    return ids


@transaction.atomic
def _claimed(refund_id: int) -> Refund | None:
    """The refund, marked as asked for before anybody asks; None if somebody did already."""
    unasked = Refund.objects.filter(
        pk=refund_id, attempts=0, status=RefundStatus.PENDING, stripe_refund_id__isnull=True
    )
    refund = unasked.select_related("payment").select_for_update(of=("self",), no_key=True).first()
    if refund is not None:
        unasked.update(attempts=1, next_attempt_at=clock.now() + LEASE)
    return refund


def _is_definite(error: stripe.StripeError) -> bool:
    """Whether Stripe says that it did not make the refund."""
    status = error.http_status or 0
    return 400 <= status < 500 and status not in UNCERTAIN and not isinstance(error, stripe.IdempotencyError)


def _look_for(refund: Refund) -> None:
    try:
        made = stripe_api.find_refund(payment_intent=refund.payment.stripe_payment_id, refund_id=refund.pk)
    except stripe.StripeError as error:
        log.warning("refund_not_looked_up", refund=refund.pk, error=str(error))
        Refund.objects.filter(pk=refund.pk).update(next_attempt_at=clock.now() + RETRY)
        return
    if made is not None:
        _book(refund, made)
    elif refund.attempts > len(WAITS) and clock.now() >= refund.created_at + SURE_AFTER:
        _fail(refund, NEVER_MADE)
    else:
        wait = WAITS[min(refund.attempts, len(WAITS)) - 1]
        Refund.objects.filter(pk=refund.pk, attempts=refund.attempts).update(
            attempts=refund.attempts + 1, next_attempt_at=clock.now() + wait
        )


def _book(refund: Refund, made: Mapping[str, Any]) -> None:
    try:
        book_refund(payment_id=refund.payment_id, told=told_by_refund(made, at=clock.now(), rank=0))
    except (BillingError, CreditError) as error:
        # The money goes back all the same. It stays pending, is told why, and is tried again.
        log.exception("refund_not_booked", refund=refund.pk)
        unbooked = Refund.objects.filter(pk=refund.pk, stripe_refund_id__isnull=True)
        unbooked.update(failure=f"Stripe made it: {error}"[:LONGEST_FAILURE], next_attempt_at=clock.now() + RETRY)


@transaction.atomic
def _fail(refund: Refund, words: str) -> None:
    lock_families({refund.payment.stripe_payment_id})
    now = clock.now()
    # Unless Stripe's event told of it meanwhile.
    unknown = Refund.objects.filter(pk=refund.pk, status=RefundStatus.PENDING, stripe_refund_id__isnull=True)
    unknown.update(
        status=RefundStatus.FAILED,
        failure=words.replace("\x00", "")[:LONGEST_FAILURE],
        failed_at=now,
        next_attempt_at=None,
        updated_at=now,
    )
    settle_money_back(payment_id=refund.payment_id)
