"""What Stripe kept of a payment, once it says so."""

from django.db import transaction

from backoffice.lib import clock
from billing.models import Payment


@transaction.atomic
def set_fee(*, payment_id: int, fee_minor: int, net_minor: int, settlement_currency: str) -> None:
    """Write Stripe's fee and what it settled, both in minor units of ``settlement_currency`` (ISO, capitals).

    The same again changes nothing.
    """
    columns = {"fee_minor": fee_minor, "net_minor": net_minor, "settlement_currency": settlement_currency}
    unlike = Payment.objects.filter(pk=payment_id).exclude(**columns)
    unlike.update(**columns, updated_at=clock.now())
