"""Reads of billing."""

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet, Sum
from django.db.models.fields.json import KT

from accounts.models import User
from accounts.selectors import family_of, is_id
from billing.models import CreditPack, Payment, PaymentStatus, StripeEvent
from billing.models.events import NEEDS_ATTENTION
from credits.models import CreditTransaction

BADGE_LIMIT = 100


def events_of_payment(payment_intent_id: str, *, types: Iterable[str], livemode: bool) -> list[StripeEvent]:
    """The stored events of these types that tell of one payment, in the order of Stripe's time."""
    events = StripeEvent.objects.filter(
        payment_intent_id=payment_intent_id, type__in=list(types), livemode=livemode, payload__isnull=False
    )
    return sorted(events.defer("body"), key=lambda event: (event.stripe_created or event.received_at, event.pk))


def all_events_of_payment(payment_intent_id: str) -> QuerySet[StripeEvent]:
    """Every event that tells of one payment, in the order in which they came."""
    return inbox().filter(payment_intent_id=payment_intent_id).order_by("received_at", "pk")


def inbox() -> QuerySet[StripeEvent]:
    """All events, their contents left where they are until asked for."""
    return StripeEvent.objects.defer("body", "payload")


def search_events(events: QuerySet[StripeEvent], text: str) -> QuerySet[StripeEvent]:
    """The event of exactly this id, and those that tell of the object or the payment of this id."""
    term = text.replace("\x00", "").strip()
    if not term:
        return events
    return events.filter(Q(stripe_id=term) | Q(object_id=term) | Q(payment_intent_id=term))


def events_needing_attention() -> int:
    """How many events are parked or failed, counted up to BADGE_LIMIT."""
    return StripeEvent.objects.filter(state__in=NEEDS_ATTENTION)[:BADGE_LIMIT].count()


def payment_of_intent(payment_intent_id: str) -> Payment | None:
    """The payment that was booked for a payment intent."""
    return Payment.objects.filter(stripe_payment_id=payment_intent_id).first()


def payments_named(text: str) -> QuerySet[Payment]:
    """The payments of this number, or of exactly this payment intent or charge; newest first."""
    named = Q(stripe_payment_id=text) | Q(stripe_charge_id=text)
    if is_id(text):
        named |= Q(pk=int(text))
    return Payment.objects.select_related("user").filter(named).order_by("-paid_at", "-pk")


def packs_by_price(price_ids: Iterable[str]) -> dict[str, CreditPack]:
    """The packs of these prices of Stripe's, for sale or not any more."""
    return {pack.stripe_price_id or "": pack for pack in CreditPack.objects.filter(stripe_price_id__in=list(price_ids))}


def spend_of(*, user_id: int, currency: str) -> int:
    """The sum of a customer's succeeded payments in ``currency``, in its minor units.

    Payments stay where they were booked, so those of whoever was merged into the customer count in.
    """
    paid = Payment.objects.filter(user_id__in=family_of(user_id), status=PaymentStatus.SUCCEEDED, currency=currency)
    return paid.aggregate(total=Sum("amount_minor"))["total"] or 0


def spend_in_other_currencies(*, user_id: int, currency: str) -> list[tuple[str, int]]:
    """What ``spend_of`` in ``currency`` leaves out: each other currency with its sum in minor units, by code."""
    paid = Payment.objects.filter(user_id__in=family_of(user_id), status=PaymentStatus.SUCCEEDED)
    paid = paid.exclude(currency=currency)
    return list(paid.values_list("currency").annotate(total=Sum("amount_minor")).order_by("currency"))


def latest_payments(*, user_id: int, limit: int) -> list[Payment]:
    """A customer's payments and those of whoever was merged into them, newest first."""
    return list(Payment.objects.filter(user_id__in=family_of(user_id)).order_by("-paid_at", "-id")[:limit])


def payments() -> QuerySet[Payment]:
    """All payments with whose they are."""
    return Payment.objects.select_related("user")


def search_payments(found: QuerySet[Payment], text: str) -> QuerySet[Payment]:
    """Payments of the customer with this email, or with exactly this id of Stripe's (payment or charge)."""
    term = text.replace("\x00", "").strip()
    if not term:
        return found
    if "@" in term:
        # The one id, not a subquery: so the index of a customer's payments gives them in their order.
        user_id = User.objects.with_email(term).values_list("pk", flat=True).first()
        return found.filter(user_id=user_id) if user_id else found.none()
    return found.filter(Q(stripe_payment_id=term) | Q(stripe_charge_id=term))


def payment_behind(entry: CreditTransaction) -> Payment | None:
    """The payment that an entry was booked for; of a clawback, that of its purchase."""
    return Payment.objects.filter(transaction__in=[entry.pk, entry.reverses_id or entry.pk]).first()


def events_about(user_ids: Sequence[int], *, stripe_customer_id: str | None) -> QuerySet[StripeEvent]:
    """The events that tell of these customers' payments, or of the customer whom Stripe knows under this id."""
    # The payments first: beside the other two ways, a subquery would have all events read. And no empty ids, which the
    # indexes leave out.
    payments = list(Payment.objects.filter(user_id__in=user_ids).values_list("stripe_payment_id", flat=True))
    about = Q(payment_intent_id__in=payments) & ~Q(payment_intent_id="")
    if stripe_customer_id:
        about |= Q(object_id=stripe_customer_id) | Q(customer=stripe_customer_id)
    return StripeEvent.objects.alias(customer=KT("payload__data__object__customer")).filter(about)
