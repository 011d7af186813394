"""What billing does when a customer is merged into another or is to be forgotten."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts import services as accounts
from accounts.models import Customer
from accounts.selectors import family_of
from backoffice.lib import clock
from backoffice.lib.lives import Known
from billing import selectors
from billing.models import EventState, Invoice, Payment, Refund, StripeEvent
from billing.models.events import UNSETTLED


@transaction.atomic
def count_spend_together(*, survivor_id: int, merged_id: int, **_: Any) -> Mapping[str, Any]:
    """Payments stay where they were booked; what was spent counts for the one who stays."""
    spent = selectors.spend_of([*family_of(survivor_id), *family_of(merged_id)])
    accounts.set_spend(user_id=survivor_id, spend_minor=spent)
    accounts.set_spend(user_id=merged_id, spend_minor=0)
    payments = Payment.objects.filter(user_id__in=family_of(merged_id)).count()
    return {"payments": payments}


def obstacles(user_ids: Sequence[int]) -> list[str]:
    """What Stripe told of these customers and nobody has booked yet, in words."""
    waiting = _about(user_ids).filter(state__in=UNSETTLED).count()
    if not waiting:
        return []
    return [f"Stripe events about them are still to be processed: {waiting}. Wait, or look into those that failed."]


def parked(user_ids: Sequence[int]) -> int:
    """How many events about these customers wait for somebody to look into them."""
    return _about(user_ids).filter(state=EventState.PARKED).count()


def _about(user_ids: Sequence[int]) -> QuerySet[StripeEvent]:
    known = Customer.objects.filter(pk__in=user_ids, stripe_customer_id__isnull=False)
    stripe_customer_id = known.values_list("stripe_customer_id", flat=True).first()
    return selectors.events_about(user_ids, stripe_customer_id=stripe_customer_id)


@transaction.atomic
def forget(user_ids: Sequence[int], known: Known) -> Mapping[str, int]:
    """Empty what Stripe told of a person and their card. Who paid what, when and for which credits stays."""
    now = clock.now()
    # What came in since it was asked what stands in the way is left to its worker, who has it locked and waits for us.
    events = selectors.events_about(user_ids, stripe_customer_id=known.stripe_customer_id).exclude(state__in=UNSETTLED)
    payments = Payment.objects.filter(user_id__in=user_ids)
    refunds = Refund.objects.filter(payment__user_id__in=user_ids)
    invoices = Invoice.objects.filter(user_id__in=user_ids)
    return {
        "stripe_events": events.update(body=b"", payload=None, error=""),
        "payments": payments.update(
            failure="", payment_method_type="", payment_method_brand="", payment_method_last4="", updated_at=now
        ),
        "refunds": refunds.update(reason="", failure="", updated_at=now),
        "invoices": invoices.update(hosted_url="", updated_at=now),
    }
