"""Payments and Stripe's events in the search of Ctrl-K."""

from collections.abc import Iterator

from django.urls import reverse

from backoffice.lib.money import format_money
from backoffice.lib.registry import JumpHit
from billing import selectors

SHOWN = 5


def payments(text: str) -> Iterator[JumpHit]:
    """The payment of exactly this pi_ or ch_ id, or of this number of ours."""
    if "@" in text:
        return  # An address is a customer's, who is found by it.
    for payment in selectors.payments_named(text)[:SHOWN]:
        yield JumpHit(
            label=f"{format_money(payment.amount_minor, payment.currency)} · {payment.user.email}",
            detail=payment.stripe_payment_id,
            url=reverse("admin:billing_payment_change", args=[payment.pk]),
            icon="card",
        )


def invoices(text: str) -> Iterator[JumpHit]:
    """The invoice of exactly this in_ id, or of the number that the customer reads."""
    if "@" in text:
        return
    for invoice in selectors.invoices_named(text)[:SHOWN]:
        yield JumpHit(
            label=f"{format_money(invoice.total_minor, invoice.currency)} · {invoice.user.email}",
            detail=str(invoice),
            url=reverse("admin:billing_invoice_change", args=[invoice.pk]),
            icon="receipt",
        )


def events(text: str) -> Iterator[JumpHit]:
    """The event of exactly this id of Stripe's."""
    for event in selectors.inbox().filter(stripe_id=text):
        yield JumpHit(
            label=event.type,
            detail=event.stripe_id,
            url=reverse("admin:billing_stripeevent_change", args=[event.pk]),
            icon="inbox",
        )
