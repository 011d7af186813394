"""What Stripe's ids lead to in the search of Ctrl-K."""

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


def subscriptions(text: str) -> Iterator[JumpHit]:
    """The subscription of exactly this sub_ id, or those of this cus_ id."""
    if not _may_be_of_stripe(text):
        return
    for subscription in selectors.subscriptions_named(text)[:SHOWN]:
        yield JumpHit(
            label=f"{subscription.plan or 'Subscription'} · {subscription.user.email}",
            detail=subscription.stripe_subscription_id,
            url=reverse("admin:billing_subscription_change", args=[subscription.pk]),
            icon="repeat",
        )


def refunds(text: str) -> Iterator[JumpHit]:
    """The refund of exactly this re_ id."""
    if not _may_be_of_stripe(text):
        return
    for refund in selectors.refunds_named(text):
        payment = refund.payment
        yield JumpHit(
            label=f"{format_money(refund.amount_minor, payment.currency)} back · {payment.user.email}",
            detail=str(refund),
            url=reverse("admin:billing_refund_change", args=[refund.pk]),
            icon="refund",
        )


def disputes(text: str) -> Iterator[JumpHit]:
    """The dispute of exactly this id of Stripe's (dp_ or du_)."""
    if not _may_be_of_stripe(text):
        return
    for dispute in selectors.disputes_named(text):
        payment = dispute.payment
        yield JumpHit(
            label=f"{format_money(dispute.amount_minor, payment.currency)} disputed · {payment.user.email}",
            detail=str(dispute),
            url=reverse("admin:billing_dispute_change", args=[dispute.pk]),
            icon="dispute",
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


def _may_be_of_stripe(text: str) -> bool:
    """Whether it is worth asking: each of Stripe's ids has its kind and an underscore before it."""
    return "_" in text and "@" not in text
