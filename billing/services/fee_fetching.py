"""Asking Stripe for its fees, which the event of a payment leaves out."""

from datetime import timedelta

import structlog

from backoffice.lib import clock
from billing import selectors, stripe_api
from billing.errors import StripeCallFailed
from billing.models import Payment
from billing.payloads import value_at
from billing.readings.charges import Fee, fee_of
from billing.resources import PAYMENTS
from billing.services.fees import set_fee
from billing.stripe_lists import Reader, StripeUnavailable

log = structlog.get_logger(__name__)

# Nobody waits for a fee, and whoever else calls Stripe shares its limits with this.
AT_ONCE = 100
SHORTEST_DELAY, LONGEST_DELAY = timedelta(minutes=10), timedelta(days=7)


def fetch_fees(*, limit: int = AT_ONCE, reader: Reader | None = None) -> int:
    """Ask for the fees of at most ``limit`` payments that are due; how many became known.

    One that Stripe does not know yet is asked for again when the payment is twice as old. While Stripe is out of reach
    nothing more is asked.
    """
    due = selectors.payments_without_fee(now=clock.now())[:limit] if stripe_api.is_configured() else []
    if not due:
        return 0
    reader = reader or Reader(tries=1)
    known = 0
    try:
        for payment in due:
            known += _fetch(payment, reader)
    except StripeUnavailable as error:
        log.warning("stripe_fees_not_fetched", why=str(error))
    return known


def _fetch(payment: Payment, reader: Reader) -> bool:
    try:
        fee = _fee(payment, reader)
    except StripeUnavailable:
        raise
    except StripeCallFailed as error:
        log.warning("stripe_fee_not_told", payment=payment.pk, why=str(error))
        fee = None
    if fee is None:
        now = clock.now()
        delay = min(max(now - payment.paid_at, SHORTEST_DELAY), LONGEST_DELAY)
        Payment.objects.filter(pk=payment.pk).update(fee_due_at=now + delay)
        return False
    set_fee(payment_id=payment.pk, fee_minor=fee.fee_minor, net_minor=fee.net_minor, settlement_currency=fee.currency)
    return True


def _fee(payment: Payment, reader: Reader) -> Fee | None:
    page = reader.one(f"{PAYMENTS.path}/{payment.stripe_payment_id}", {"expand": list(PAYMENTS.expand)})
    return fee_of(value_at(page.objects[0], "latest_charge", "balance_transaction"))
