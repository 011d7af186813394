"""Acts on money for which roles have limits, in major units of REPORTING_CURRENCY: what staff read and type."""

from decimal import Decimal
from enum import StrEnum

from django.conf import settings

from accounts.models import User
from backoffice.lib import clock, money
from backoffice.lib.periods import day_of
from billing.selectors import rates
from jobs.errors import LimitExceeded
from jobs.selectors import Bounds, bounds_of

# As finely as limits are kept.
STEP = Decimal("0.0001")


class Limit(StrEnum):
    REFUND = "billing.refund"


def counted(amount_minor: int, currency: str) -> Decimal | None:
    """What ``amount_minor`` units of ``currency`` count against a limit by today's rate; None without a rate."""
    amount = money.major_units(amount_minor, currency)
    if currency == settings.REPORTING_CURRENCY:
        return amount
    rate = rates.rate(currency, settings.REPORTING_CURRENCY, day_of(clock.now()))
    return None if rate is None else (amount * rate).quantize(STEP)


def shown(amount: Decimal) -> str:
    """An amount that counts against a limit, as people read it: ``$50.00``."""
    currency = settings.REPORTING_CURRENCY
    return money.format_money(int(amount.scaleb(money.exponent(currency)).to_integral_value()), currency)


def check_countable(*, staff: User, verb: str, amount: Decimal | None, currency: str) -> None:
    """Raise LimitExceeded for who has a limit, when nothing tells how much of it the act would use."""
    if amount is None and bounds_of(staff=staff, verb=verb) != Bounds(None, None):
        raise LimitExceeded(
            verb=verb,
            amount=Decimal(0),
            limit=Decimal(0),
            is_daily=False,
            explanation=f"There is no exchange rate for {currency}, so this cannot be held against your limit.",
        )
