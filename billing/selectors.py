"""Reads of billing."""

from collections.abc import Iterable

from django.db.models import Sum

from billing.models import CreditPack, Payment, PaymentStatus, StripeEvent
from billing.models.events import NEEDS_ATTENTION

BADGE_LIMIT = 100


def events_of_payment(payment_intent_id: str, *, types: Iterable[str], livemode: bool) -> list[StripeEvent]:
    """The stored events of these types that tell of one payment, in the order of Stripe's time."""
    events = StripeEvent.objects.filter(
        payment_intent_id=payment_intent_id, type__in=list(types), livemode=livemode, payload__isnull=False
    )
    return sorted(events.defer("body"), key=lambda event: (event.stripe_created or event.received_at, event.pk))


def events_needing_attention() -> int:
    """How many events are parked or failed, counted up to BADGE_LIMIT."""
    return StripeEvent.objects.filter(state__in=NEEDS_ATTENTION)[:BADGE_LIMIT].count()


def payment_of_intent(payment_intent_id: str) -> Payment | None:
    """The payment that was booked for a payment intent."""
    return Payment.objects.filter(stripe_payment_id=payment_intent_id).first()


def packs_by_price(price_ids: Iterable[str]) -> dict[str, CreditPack]:
    """The packs of these prices of Stripe's, for sale or not any more."""
    return {pack.stripe_price_id or "": pack for pack in CreditPack.objects.filter(stripe_price_id__in=list(price_ids))}


def spend_of(*, user_id: int, currency: str) -> int:
    """The sum of a customer's succeeded payments in ``currency``, in its minor units."""
    paid = Payment.objects.filter(user_id=user_id, status=PaymentStatus.SUCCEEDED, currency=currency)
    return paid.aggregate(total=Sum("amount_minor"))["total"] or 0


def latest_payments(*, user_id: int, limit: int) -> list[Payment]:
    """A customer's payments, newest first."""
    return list(Payment.objects.filter(user_id=user_id).order_by("-paid_at", "-id")[:limit])
