"""What Stripe's ids lead to in the search of Ctrl-K."""

from collections.abc import Callable, Iterable, Iterator

from django.urls import reverse

from backoffice.lib.money import format_money
from backoffice.lib.registry import JumpHit
from billing import selectors
from billing.models import Dispute, Refund

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
    return _money_back(text, selectors.refunds_named, "back", "refund")


def disputes(text: str) -> Iterator[JumpHit]:
    """The dispute of exactly this id of Stripe's (dp_ or du_)."""
    return _money_back(text, selectors.disputes_named, "disputed", "dispute")


def events(text: str) -> Iterator[JumpHit]:
    """The event of exactly this id of Stripe's, and the latest about the object of this id, booked or not."""
    if not _may_be_of_stripe(text):
        return
    for event in selectors.search_events(selectors.inbox(), text).order_by("-received_at", "-pk")[:SHOWN]:
        yield JumpHit(
            label=f"{event.type} · {event.get_state_display().lower()}",
            detail=event.stripe_id,
            url=reverse("admin:billing_stripeevent_change", args=[event.pk]),
            icon="inbox",
        )


def _money_back(
    text: str, named: Callable[[str], Iterable[Refund | Dispute]], word: str, kind: str
) -> Iterator[JumpHit]:
    if not _may_be_of_stripe(text):
        return
    for row in named(text):
        amount = format_money(row.amount_minor, row.payment.currency)
        yield JumpHit(
            label=f"{amount} {word} · {row.payment.user.email}",
            detail=str(row),
            url=reverse(f"admin:billing_{kind}_change", args=[row.pk]),
            icon=kind,
        )


def _may_be_of_stripe(text: str) -> bool:
    """Whether it is worth asking: each of Stripe's ids has its kind and an underscore before it."""
    return "_" in text and "@" not in text
