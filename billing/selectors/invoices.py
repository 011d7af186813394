"""Reads of invoices."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.selectors import family_of
from billing.models import Invoice, Payment


def invoices() -> QuerySet[Invoice]:
    """All invoices with whose they are."""
    return Invoice.objects.select_related("user")


def search_invoices(found: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
    """Invoices of the customer with this email, with exactly this number, or with this id of Stripe's (in_ or sub_)."""
    term = text.replace("\x00", "").strip()
    if not term:
        return found
    if "@" in term:
        # The one id, not a subquery: so the index of a customer's invoices gives them in their order.
        user_id = User.objects.with_email(term).values_list("pk", flat=True).first()
        return found.filter(user_id=user_id) if user_id else found.none()
    if term.startswith("sub_"):
        return found.filter(Q(stripe_subscription_id=term) & ~Q(stripe_subscription_id=""))
    return found.filter(Q(stripe_invoice_id=term) | (Q(number=term) & ~Q(number="")))


def invoices_named(text: str) -> QuerySet[Invoice]:
    """The invoices of this number, as customers read it, or of exactly this id of Stripe's; newest first."""
    # No empty number, which the index leaves out.
    named = Q(stripe_invoice_id=text) | (Q(number=text) & ~Q(number=""))
    return invoices().filter(named).order_by("-issued_at", "-pk")


def invoice_of(stripe_invoice_id: str) -> Invoice | None:
    """The invoice of this id of Stripe's."""
    return Invoice.objects.filter(stripe_invoice_id=stripe_invoice_id).first()


def latest_invoices(*, user_id: int, limit: int) -> list[Invoice]:
    """A customer's invoices and those of whoever was merged into them, newest first."""
    return list(Invoice.objects.filter(user_id__in=family_of(user_id)).order_by("-issued_at", "-id")[:limit])


def granting_invoices(user_ids: Sequence[int], *, after: datetime) -> list[Invoice]:
    """The invoices of these customers that have granted an allowance for a period which ends after that."""
    granting = Invoice.objects.filter(user_id__in=user_ids, monthly_credits__isnull=False, period_end__gt=after)
    return list(granting.order_by("pk"))


def invoices_of_subscription(stripe_subscription_id: str, *, limit: int) -> list[Invoice]:
    """The invoices of a subscription, newest first."""
    # No empty id, which the index leaves out.
    found = Invoice.objects.filter(stripe_subscription_id=stripe_subscription_id).exclude(stripe_subscription_id="")
    return list(found.order_by("-issued_at", "-pk")[:limit])


def payments_of_invoice(stripe_invoice_id: str) -> QuerySet[Payment]:
    """What paid an invoice."""
    paid = Payment.objects.filter(stripe_invoice_id=stripe_invoice_id).exclude(stripe_invoice_id="")
    return paid.order_by("paid_at", "pk")
