"""Reads of payments."""

from datetime import datetime

from django.db.models import F, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest

from accounts.models import User
from accounts.selectors import family_of, is_id
from billing.models import Payment
from billing.models.statuses import PAID
from credits.models import CreditTransaction

# What went back and what the bank took are never more than what was paid, but may be told twice over: in a dispute of
# what was refunded.
KEPT = Greatest(F("amount_minor") - F("refunded_minor") - F("disputed_minor"), Value(0))


def payment_of_intent(payment_intent_id: str) -> Payment | None:
    """The payment that was booked for a payment intent."""
    return Payment.objects.filter(stripe_payment_id=payment_intent_id).first()


def payments_without_fee(*, now: datetime) -> QuerySet[Payment]:
    """Paid ones for whose fee Stripe is to be asked now, the longest due first."""
    due = Payment.objects.filter(fee_minor__isnull=True, status__in=PAID, fee_due_at__lte=now)
    return due.only("stripe_payment_id", "paid_at").order_by("fee_due_at")


def payments_named(text: str) -> QuerySet[Payment]:
    """The payments of this number, or of exactly this payment intent or charge; newest first."""
    named = Q(stripe_payment_id=text) | Q(stripe_charge_id=text)
    if is_id(text):
        named |= Q(pk=int(text))
    return Payment.objects.select_related("user").filter(named).order_by("-paid_at", "-pk")


def spend_of(*, user_id: int, currency: str) -> int:
    """What is left of a customer's payments in ``currency`` after refunds and disputes, in its minor units.

    Payments stay where they were booked, so those of whoever was merged into the customer count in.
    """
    paid = Payment.objects.filter(user_id__in=family_of(user_id), status__in=PAID, currency=currency)
    return paid.aggregate(total=Sum(KEPT))["total"] or 0


def spend_in_other_currencies(*, user_id: int, currency: str) -> list[tuple[str, int]]:
    """What ``spend_of`` in ``currency`` leaves out: each other currency with its sum in minor units, by code."""
    paid = Payment.objects.filter(user_id__in=family_of(user_id), status__in=PAID)
    paid = paid.exclude(currency=currency)
    return list(paid.values_list("currency").annotate(total=Sum(KEPT)).order_by("currency"))


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
