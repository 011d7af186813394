"""What the paid invoices of subscriptions give each month. No I/O here.

A line gives the credits of its plan, for each unit of its quantity: of a plan that is billed by months or years those
of a month, each month of what is paid for; by weeks or days their part of a year's. A trial gives what the plan's trial
gives. A proration gives what it goes up by: what it pays for less what it gives back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from billing.errors import Parked
from billing.models import Interval, Invoice, Plan, PlanPrice
from billing.readings.invoices import InvoiceTold, Line
from credits.amounts import DECIMAL_PLACES, MAX_AMOUNT
from credits.periods import month_after

SMALLEST = Decimal(1).scaleb(-DECIMAL_PLACES)
PER_YEAR = {Interval.WEEK: 52, Interval.DAY: 365}
# No month is longer, and two are never that short; between them nothing has to be decided to the hour.
LONGER_THAN_A_MONTH = timedelta(days=35)
DAYS_OF_A_MONTH = 365.25 / 12


@dataclass(frozen=True, kw_only=True)
class Given:
    """What an invoice adds to the allowance of the period from ``starts_at`` to ``ends_at``, for each month in it.

    ``is_whole`` says that it is the invoice of the period itself, not of a change within it.
    """

    credits: Decimal
    starts_at: datetime
    ends_at: datetime
    is_whole: bool


@dataclass(frozen=True)
class Catalogue:
    """The plans that lines may stand for, by the ids of their prices and of their products."""

    prices: Mapping[str, PlanPrice]
    products: Mapping[str, Plan]

    def plan_of(self, line: Line) -> Plan | None:
        price = self.prices.get(line.price_id)
        return price.plan if price else self.products.get(line.product_id)


def given_by(told: InvoiceTold, catalogue: Catalogue) -> Given | None:
    """What a subscription's invoice gives; None if it pays for no time to come.

    Raises Parked if no plan is known, or if that is more than an allowance can be.
    """
    starts_at, ends_at = told.period
    lines = told.advance_lines
    if not lines or starts_at is None or ends_at is None:
        return None
    unknown = sorted({line.price_id or "no price" for line in lines if catalogue.plan_of(line) is None})
    if len(unknown) == len({line.price_id or "no price" for line in lines}):
        raise Parked(
            f"No plan has the price {', '.join(unknown)}, so it is not known which allowance was paid for. "
            "Enter it on its plan, or make a plan of 0 credits for it, then replay."
        )
    whole = [line for line in lines if not line.is_proration]
    if any(line.ends_at != ends_at for line in whole):
        raise Parked(
            "It pays for periods of different lengths, which one allowance cannot follow. "
            "Set the customer's allowance by hand."
        )
    counted = [line for line in lines if line.ends_at == ends_at]
    credits = sum((_credits(line, catalogue) for line in counted), Decimal(0))
    if abs(credits) > MAX_AMOUNT:
        raise Parked(
            f"Its lines make {credits:.4g} credits a month, which no allowance can be. Compare their quantities with "
            "the invoice in Stripe, and set the customer's allowance by hand."
        )
    return Given(credits=credits, starts_at=starts_at, ends_at=ends_at, is_whole=bool(whole))


def _credits(line: Line, catalogue: Catalogue) -> Decimal:
    plan = catalogue.plan_of(line)
    if plan is None:
        # An extra beside a plan, which gives nothing.
        return Decimal(0)
    price = catalogue.prices.get(line.price_id)
    credits = line.quantity * (_trial(plan) if _is_trial(line, price) else _of_period(plan, line, price))
    return -credits if line.is_credit else credits


def _trial(plan: Plan) -> Decimal:
    return plan.monthly_credits if plan.trial_credits is None else plan.trial_credits


def _is_trial(line: Line, price: PlanPrice | None) -> bool:
    """What costs something and is free this time. A discount is told beside the amount of a line, not in it."""
    costs = line.unit_amount if price is None or price.amount_minor is None else price.amount_minor
    return bool(costs) and line.amount == 0 and not line.is_proration


def _of_period(plan: Plan, line: Line, price: PlanPrice | None) -> Decimal:
    interval, count = (price.interval, price.interval_count) if price else (line.interval, line.interval_count)
    if interval not in PER_YEAR:
        return plan.monthly_credits
    part = plan.monthly_credits * 12 * count / PER_YEAR[Interval(interval)]
    return part.quantize(SMALLEST, ROUND_DOWN)


@dataclass(frozen=True, kw_only=True)
class Paid:
    """What all invoices of one period of a subscription give together."""

    credits: Decimal
    starts_at: datetime
    ends_at: datetime
    # What the latest of them paid for begins here: of two periods of a subscription the one that began later runs.
    paid_from: datetime

    def schedule(self, zone: ZoneInfo) -> tuple[datetime | None, datetime]:
        """When the running period of the allowance ends, if not after a month; and until when it goes on by months."""
        length = self.ends_at - self.starts_at
        if length <= LONGER_THAN_A_MONTH:
            return self.ends_at, self.ends_at
        # Months follow the clocks of our zone, which may be an hour past Stripe's end: not one more for that.
        months = month_after(self.starts_at, round(length.days / DAYS_OF_A_MONTH), zone)
        is_same_day = abs(months - self.ends_at) < timedelta(days=1)
        return None, min(months, self.ends_at) if is_same_day else self.ends_at


def periods_of(invoices: Iterable[Invoice]) -> dict[tuple[str, datetime], Paid]:
    """The periods that these invoices pay for, by subscription and end."""
    together: dict[tuple[str, datetime], list[Invoice]] = {}
    for invoice in invoices:
        if invoice.period_end is not None and invoice.allowance_start is not None:
            together.setdefault(period_of(invoice, invoice.period_end), []).append(invoice)
    return {key: _paid(key[1], members) for key, members in together.items()}


def period_of(invoice: Invoice, ends_at: datetime) -> tuple[str, datetime]:
    """The key of ``periods_of``; an invoice of no subscription stands alone."""
    return invoice.stripe_subscription_id or invoice.stripe_invoice_id, ends_at


def _paid(ends_at: datetime, invoices: Sequence[Invoice]) -> Paid:
    return Paid(
        credits=max(Decimal(0), sum((invoice.monthly_credits or Decimal(0) for invoice in invoices), Decimal(0))),
        starts_at=min(invoice.allowance_start for invoice in invoices if invoice.allowance_start),
        ends_at=ends_at,
        paid_from=max(invoice.period_start or ends_at for invoice in invoices),
    )


def standing(periods: Mapping[tuple[str, datetime], Paid]) -> Paid | None:
    """The period that the allowance follows: the running one of each subscription, of several that which lasts longest.

    The others grant their own period and leave the allowance as it is.
    """
    running: dict[str, Paid] = {}
    for (subscription, _), paid in periods.items():
        before = running.get(subscription)
        if before is None or (paid.paid_from, paid.ends_at) > (before.paid_from, before.ends_at):
            running[subscription] = paid
    return max(running.values(), key=lambda paid: (paid.ends_at, paid.starts_at, paid.credits), default=None)
