"""What was bought: packs of credits, told by the prices of a session's line items or of the lines of an invoice."""

from collections.abc import Sequence
from decimal import Decimal

from backoffice.lib.money import format_credits
from billing import selectors, stripe_api
from billing.errors import Parked
from billing.facts import LineItem, Story, Told
from billing.handlers.invoices import INVOICE_TYPES
from billing.handlers.lines import with_all_lines
from billing.handlers.stories import subject_of
from billing.models import CreditPack, InvoiceStatus, StripeEvent
from billing.readings.invoices import InvoiceTold, Line, read_invoice
from billing.stripe_amounts import converted
from billing.stripe_api import Answers
from credits.amounts import check_amount
from credits.errors import InvalidAmount


def credits_of_orders(sessions: Sequence[Told], answers: Answers) -> Decimal:
    """Pack x quantity over the line items of a payment's sessions. Raises Parked, AnswerNeeded, StripeCallFailed."""
    # The same session may be told twice, as completed and as paid later.
    listed = {session.session_id: session.line_items for session in sessions if session.line_items is not None}
    asked = {session.session_id for session in sessions} - listed.keys()
    orders = [*listed.values(), *(_asked_of_stripe(session_id, answers) for session_id in sorted(asked))]
    return _total([item for items in orders for item in items])


def last_of_invoice(invoice_id: str, *, livemode: bool) -> StripeEvent | None:
    """The last event of an invoice whose lines are settled; None if nothing was told, or only of a draft."""
    events = selectors.events_of_invoice(invoice_id, types=INVOICE_TYPES, livemode=livemode) if invoice_id else []
    unsettled = ("", InvoiceStatus.DRAFT)
    return next((each for each in reversed(events) if read_invoice(subject_of(each)).status not in unsettled), None)


def credits_of_invoice(invoice: InvoiceTold, story: Story, answers: Answers) -> Decimal:
    """Pack x quantity over the lines of the invoice that a payment pays; 0 if no pack is on it.

    Raises Parked, AnswerNeeded, StripeCallFailed.
    """
    lines = with_all_lines(invoice, answers).lines
    packs = selectors.packs_by_price({line.price_id for line in lines})
    credits = sum((_on_line(line, packs[line.price_id]) for line in lines if line.price_id in packs), Decimal(0))
    if not credits:
        return credits
    # Since 2025-03-31 an invoice may be paid by several payments, and each would buy all that stands on it.
    amount, currency = story.amount
    due = converted(invoice.amount_due, currency)
    if due is not None and amount < due:
        raise Parked(
            f"It pays a part of {invoice.id}, on which packs of {format_credits(credits)} credits stand. Once the "
            "invoice is paid, assign the payment with the credits that are still to be given."
        )
    try:
        return check_amount(credits)
    except InvalidAmount as error:
        raise Parked(f"The lines of {invoice.id} do not add up to credits: {error} Look it up in Stripe.") from error


def _on_line(line: Line, pack: CreditPack) -> Decimal:
    credits = pack.credits * line.quantity
    return -credits if line.is_credit else credits


def _asked_of_stripe(session_id: str, answers: Answers) -> Sequence[LineItem]:
    if not session_id:
        raise Parked("The session has no id, so what was bought cannot be read from Stripe. Look the payment up there.")
    if not stripe_api.is_configured():
        raise Parked(
            "The session does not list what was bought, and without STRIPE_SECRET_KEY it cannot be read from Stripe. "
            "Set the key and replay, or give the credits by hand."
        )
    listed: Sequence[LineItem] = answers.to("line items", session_id)
    return listed


def _total(items: Sequence[LineItem]) -> Decimal:
    packs = selectors.packs_by_price({item.price_id for item in items})
    unknown = sorted({item.price_id or "no price" for item in items if item.price_id not in packs})
    if unknown:
        raise Parked(
            f"No credit pack has the price {', '.join(unknown)}. Enter it on the pack that was bought, then replay."
        )
    try:
        return check_amount(sum((packs[item.price_id].credits * _quantity(item) for item in items), Decimal(0)))
    except InvalidAmount as error:
        raise Parked(f"The line items do not add up to credits: {error} Look the session up in Stripe.") from error


def _quantity(item: LineItem) -> int:
    if item.quantity is None or item.quantity < 1:
        raise Parked(f"The order does not say how often {item.price_id} was bought. Look the session up in Stripe.")
    return item.quantity
