"""Reads of what went back: refunds and disputes."""

from collections.abc import Collection
from typing import TypeVar

from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from billing.models import Dispute, DisputeStatus, Payment, Refund
from billing.models.statuses import DISPUTE_NEEDS_US, MONEY_TAKEN
from billing.selectors.events import BADGE_LIMIT

Row = TypeVar("Row", Refund, Dispute)


def all_refunds() -> QuerySet[Refund]:
    """All refunds, with their payment, whose it was and who asked for it here."""
    return Refund.objects.select_related("payment__user", "actor")


def all_disputes() -> QuerySet[Dispute]:
    """All disputes, with their payment and whose it was."""
    return Dispute.objects.select_related("payment__user")


def refunds_of(payment: Payment) -> list[Refund]:
    """The refunds of a payment, in order."""
    return list(Refund.objects.filter(payment=payment).select_related("actor").order_by("refunded_at", "pk"))


def disputes_of(payment: Payment) -> list[Dispute]:
    """The disputes of a payment, in order."""
    return list(Dispute.objects.filter(payment=payment).order_by("opened_at", "pk"))


def refunds_named(stripe_id: str) -> QuerySet[Refund]:
    """The refund of exactly this id of Stripe's."""
    return all_refunds().filter(stripe_refund_id=stripe_id)


def disputes_named(stripe_id: str) -> QuerySet[Dispute]:
    """The dispute of exactly this id of Stripe's."""
    return all_disputes().filter(stripe_dispute_id=stripe_id)


def disputes_needing_us() -> int:
    """How many disputes and inquiries wait for our answer, counted up to BADGE_LIMIT."""
    return Dispute.objects.filter(status__in=DISPUTE_NEEDS_US)[:BADGE_LIMIT].count()


def in_dispute(user_ids: Collection[int]) -> list[tuple[str, int]]:
    """What banks hold of these customers' payments until a dispute is decided: by currency, in its minor units."""
    held = Dispute.objects.filter(payment__user_id__in=user_ids, status__in=set(MONEY_TAKEN) - {DisputeStatus.LOST})
    return list(held.values_list("payment__currency").annotate(Sum("amount_minor")).order_by("payment__currency"))


def search_refunds(found: QuerySet[Refund], text: str) -> QuerySet[Refund]:
    """Refunds of the customer with this email, or with exactly this id of Stripe's (refund, payment or charge)."""
    return _search(found, text, "stripe_refund_id")


def search_disputes(found: QuerySet[Dispute], text: str) -> QuerySet[Dispute]:
    """Disputes of the customer with this email, or with exactly this id of Stripe's (dispute, payment or charge)."""
    return _search(found, text, "stripe_dispute_id")


def _search(found: QuerySet[Row], text: str, own: str) -> QuerySet[Row]:
    term = text.replace("\x00", "").strip()
    if not term:
        return found
    if "@" in term:
        user_id = User.objects.with_email(term).values_list("pk", flat=True).first()
        return found.filter(payment__user_id=user_id) if user_id else found.none()
    # The payments first: as a join, all rows would be read for them.
    named = Payment.objects.filter(Q(stripe_payment_id=term) | Q(stripe_charge_id=term))
    return found.filter(Q(**{own: term}) | Q(payment__in=list(named.values_list("pk", flat=True))))
