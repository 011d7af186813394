"""Invoices: what Stripe said last of one, and what a paid one grants."""

from dataclasses import replace
from datetime import datetime

from billing import selectors
from billing.allowances import Catalogue, Given, given_by
from billing.errors import Ignored, Parked
from billing.handlers.lines import with_all_lines
from billing.handlers.owners import customer_of, wait_for
from billing.handlers.words import is_news, last_word
from billing.models import Invoice, InvoiceStatus, StripeEvent
from billing.models.statuses import INVOICE_OVER
from billing.ordering import Word, word_of
from billing.readings.invoices import InvoiceTold, read_invoice
from billing.services.invoices import grant_by_invoice, save_invoice
from billing.services.linking import link_customer
from billing.stripe_api import Answers
from credits.errors import CreditError, DemoCustomer

PAID, DELETED = "invoice.paid", "invoice.deleted"
INVOICE_TYPES = (
    "invoice.created",
    "invoice.finalized",
    "invoice.finalization_failed",
    "invoice.updated",
    "invoice.sent",
    "invoice.overdue",
    PAID,
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.marked_uncollectible",
    "invoice.voided",
    DELETED,
)


def on_invoice(event: StripeEvent, answers: Answers) -> None:
    """Write what Stripe said last of the invoice, and let it grant its allowance once it is paid. Raises NotApplied."""
    word = last_word(event, answers, types=INVOICE_TYPES, kind="invoice")
    told = read_invoice(word.subject)
    if not told.status:
        raise Parked("The invoice is in a state that is not known here. Look it up in Stripe.")
    invoice = _written(event, told, word)
    if invoice.status == InvoiceStatus.PAID and invoice.monthly_credits is None:
        _grant(event, invoice, told, answers)


def _written(event: StripeEvent, told: InvoiceTold, word: Word) -> Invoice:
    known = selectors.invoice_of(told.id)
    ends = _end_told_by(event)
    if known and not is_news(known, word) and ends in (None, known.status):
        return known
    return save_invoice(user_id=known.user_id if known else _owner(event, told), told=told, word=word, ends=ends)


def _owner(event: StripeEvent, told: InvoiceTold) -> int:
    customer = customer_of(
        event, references=told.references, stripe_customer_id=told.stripe_customer_id, emails={told.email}
    )
    if told.references and told.stripe_customer_id:
        link_customer(user_id=customer.pk, stripe_customer_id=told.stripe_customer_id)
    return customer.pk


def _end_told_by(event: StripeEvent) -> InvoiceStatus | None:
    """The final state that this very event tells of; nothing that is told later takes it back."""
    if event.type == DELETED:
        # A draft that was deleted never asks for money, as one that was declared void.
        return InvoiceStatus.VOID
    status = read_invoice(word_of(event).subject).status
    return InvoiceStatus(status) if status in INVOICE_OVER else None


def _grant(event: StripeEvent, invoice: Invoice, told: InvoiceTold, answers: Answers) -> None:
    try:
        given = _given(told, answers)
    except Parked:
        # One event of a paid invoice asks for somebody; the others have told what there was to tell.
        if event.type == PAID:
            raise
        return
    if given is None:
        return
    began_at = None if given.is_whole else _beginning(event, invoice, given)
    try:
        grant_by_invoice(invoice=invoice, given=given, began_at=began_at)
    except DemoCustomer as error:
        raise Ignored(f"It grants no allowance: {error}") from error
    except CreditError as error:
        raise Parked(f"The ledger refuses the allowance: {error} Set that right, then replay.") from error


def _given(told: InvoiceTold, answers: Answers) -> Given | None:
    told = with_all_lines(told, answers)
    # A pack on the invoice is bought by what pays it, and no part of the allowance.
    packs = selectors.packs_by_price(line.price_id for line in told.lines)
    told = replace(told, lines=tuple(line for line in told.lines if line.price_id not in packs))
    lines = told.advance_lines
    catalogue = Catalogue(
        prices=selectors.plan_prices(line.price_id for line in lines),
        products=selectors.plans_by_product(line.product_id for line in lines),
    )
    return given_by(told, catalogue)


def _beginning(event: StripeEvent, invoice: Invoice, given: Given) -> datetime | None:
    """When the period began within which the invoice changes something: as its subscription or its invoice says."""
    if began_at := selectors.period_began(invoice.stripe_subscription_id, ends_at=given.ends_at):
        return began_at
    wait_for(event, "It changes a subscription of which nothing is known yet.")
    return None
