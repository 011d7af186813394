"""Reads of payments."""

from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.selectors import family_of, is_id
from billing.models import Payment
from billing.models.statuses import PAID
from credits.models import CreditTransaction


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
