"""Links between our rows, and to Stripe's own pages about them."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from backoffice.lib.admin import display
from billing.badges import state_badge
from billing.models import Dispute, Invoice, Payment, Refund, StripeEvent, Subscription

DASHBOARD = "https://dashboard.stripe.com"


def to_stripe(page: str, stripe_id: str, *, livemode: bool | None = None) -> SafeString:
    """The ``page`` (such as ``payments``) of Stripe's dashboard about an object, in our mode unless told."""
    if not stripe_id:
        return display.absent()
    mode = "" if (settings.STRIPE_LIVEMODE if livemode is None else livemode) else "/test"
    return display.link(f"{DASHBOARD}{mode}/{page}/{stripe_id}", stripe_id)


def to_hosted_page(address: str) -> SafeString:
    """Stripe's page for the customer; an address that is not Stripe's is shown and leads nowhere."""
    host = (urlsplit(address).hostname or "").lower()
    if host == "stripe.com" or host.endswith(".stripe.com"):
        return display.link(address, "Open the invoice")
    return format_html("{}", address) if address else display.absent()


def to_events(events: Iterable[StripeEvent]) -> SafeString:
    """What was told of something, a line each."""
    return display.lines(
        (display.moment(event.received_at), to_event(event), state_badge(event.state)) for event in events
    )


def to_invoice(invoice: Invoice) -> SafeString:
    return display.link(reverse("admin:billing_invoice_change", args=[invoice.pk]), str(invoice))


def to_subscription(subscription: Subscription) -> SafeString:
    return display.link(reverse("admin:billing_subscription_change", args=[subscription.pk]), str(subscription))


def to_customer(user: User) -> SafeString:
    return display.link(reverse("admin:accounts_customer_change", args=[user.pk]), user.email)


def to_payment(payment: Payment) -> SafeString:
    return display.link(reverse("admin:billing_payment_change", args=[payment.pk]), payment.stripe_payment_id)


def to_event(event: StripeEvent) -> SafeString:
    return display.link(reverse("admin:billing_stripeevent_change", args=[event.pk]), event.type)


def to_entry(transaction_id: int) -> SafeString:
    """The page of a ledger entry."""
    address = reverse("admin:credits_credittransaction_change", args=[transaction_id])
    return display.link(address, f"Entry {transaction_id}")


def to_refund(refund: Refund) -> SafeString:
    return display.link(reverse("admin:billing_refund_change", args=[refund.pk]), str(refund))


def to_dispute(dispute: Dispute) -> SafeString:
    return display.link(reverse("admin:billing_dispute_change", args=[dispute.pk]), str(dispute))


def words(code: str) -> str:
    """A code of Stripe's, such as ``product_not_received``, as people read it."""
    return code.replace("_", " ").capitalize() or display.absent()
