"""Invoices as Stripe said last, and the allowance that a paid one grants."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts import services as accounts
from accounts.selectors import family_of, is_forgotten, retirement_of
from backoffice.lib import clock
from billing import selectors
from billing.allowances import Given, Paid, period_of, periods_of, standing
from billing.errors import Parked
from billing.models import Invoice, InvoiceStatus
from billing.models.statuses import INVOICE_OVER
from billing.ordering import Word
from billing.readings.invoices import InvoiceTold
from billing.stripe_amounts import converted
from credits import services as credits


@transaction.atomic
def save_invoice(*, user_id: int, told: InvoiceTold, word: Word, ends: InvoiceStatus | None = None) -> Invoice:
    """Write what Stripe said last of an invoice; ``ends`` is a final state that it is known to have reached.

    From a final state it does not come back, whatever is told later, and whose it is never changes. Told of as paid and
    as void, it was paid: the money is in. Raises Parked if an amount cannot be kept.
    """
    # People before what is theirs, as everybody does who locks both: what it grants is theirs too.
    accounts.lock_customers({user_id, _living(user_id)})
    columns = _columns(told, word)
    if is_forgotten(user_id):
        # Its page tells name and address to whoever has the link.
        columns["hosted_url"] = ""
    known = Invoice.objects.filter(stripe_invoice_id=told.id).first()
    over = [status for status in (known.status if known else None, ends, told.status) if status in INVOICE_OVER]
    if over:
        columns["status"] = InvoiceStatus.PAID if InvoiceStatus.PAID in over else over[0]
    is_paid = columns["status"] == InvoiceStatus.PAID
    columns["paid_at"] = ((known.paid_at if known else None) or told.paid_at or word.at) if is_paid else None
    if known and known.monthly_credits is not None:
        # What was granted stays told with the period that it was granted for.
        del columns["period_start"], columns["period_end"]
    if known is None:
        return Invoice.objects.create(user_id=user_id, stripe_invoice_id=told.id, **columns)
    if any(getattr(known, name) != value for name, value in columns.items()):
        Invoice.objects.filter(pk=known.pk).update(**columns, updated_at=clock.now())
    return Invoice.objects.get(pk=known.pk)


def _columns(told: InvoiceTold, word: Word) -> dict[str, Any]:
    period_start, period_end = told.period
    return {
        "stripe_subscription_id": told.subscription_id,
        "number": told.number,
        "status": told.status,
        "billing_reason": told.billing_reason,
        "currency": told.currency,
        "subtotal_minor": _minor(told.subtotal, told.currency),
        "tax_minor": _minor(told.tax, told.currency),
        "total_minor": _minor(told.total, told.currency),
        "amount_due_minor": _minor(told.amount_due, told.currency),
        "amount_paid_minor": _minor(told.amount_paid, told.currency),
        "hosted_url": told.hosted_url,
        "attempt_count": told.attempt_count,
        "next_attempt_at": told.next_attempt_at,
        "period_start": period_start,
        "period_end": period_end,
        "issued_at": told.issued_at or word.at,
        "due_at": told.due_at,
        "as_of": word.at,
        "as_of_rank": word.rank,
    }


def _minor(amount: int, currency: str) -> int:
    ours = converted(amount, currency)
    if ours is None:
        raise Parked(f"{amount} {currency} is no amount that can be kept. Look the invoice up in Stripe.")
    return ours


@transaction.atomic
def grant_by_invoice(*, invoice: Invoice, given: Given, began_at: datetime | None = None) -> None:
    """Let a paid invoice of a subscription grant what it gives, once, however often it is told.

    ``began_at`` is the start of the period within which it changes something; that of an invoice of the same period
    which has granted before counts more. Of several periods that are paid for the allowance follows the one that lasts
    longest, so a late invoice of an older period never sets it back; each grants what it gives itself. Raises the
    CreditError of the ledger.
    """
    # Invoices of two subscriptions of one person are no family: without this each would miss the other's.
    whose = _living(invoice.user_id)
    accounts.lock_customers({invoice.user_id, whose})
    if Invoice.objects.filter(pk=invoice.pk, monthly_credits__isnull=False).exists():
        return
    _note(invoice, given, began_at)
    now = clock.now()
    periods = periods_of(selectors.granting_invoices(family_of(whose), after=now))
    own = periods.get(period_of(invoice, given.ends_at))
    if own is None:
        # It is over: what it would have granted has lapsed.
        return
    follow = standing(periods)
    if own != follow and own.credits:
        credits.grant_allowance(user_id=whose, amount=own.credits, **_running(own))
    if follow and (follow.credits or given.credits):
        _, until = follow.schedule(_zone())
        credits.set_allowance(user_id=whose, amount=follow.credits, paid_until=until, **_running(follow))


def _living(user_id: int) -> int:
    retired = retirement_of(user_id)
    return (retired.into_id if retired else None) or user_id


def _note(invoice: Invoice, given: Given, began_at: datetime | None) -> None:
    """Write on the invoice what it gives, and under which start the ledger knows its period."""
    same = Invoice.objects.filter(
        stripe_subscription_id=invoice.stripe_subscription_id,
        period_end=given.ends_at,
        allowance_start__isnull=False,
    ).exclude(stripe_subscription_id="")
    started = same.values_list("allowance_start", flat=True).first()
    Invoice.objects.filter(pk=invoice.pk).update(
        monthly_credits=given.credits,
        period_start=given.starts_at,
        period_end=given.ends_at,
        allowance_start=started or (None if given.is_whole else began_at) or given.starts_at,
        updated_at=clock.now(),
    )


def _running(paid: Paid) -> dict[str, Any]:
    period_end, _ = paid.schedule(_zone())
    return {"period_start": paid.starts_at, "period_end": period_end}


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.REPORTING_TIME_ZONE)
