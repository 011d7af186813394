"""Reads of what currencies are worth in each other."""

from datetime import date
from decimal import Decimal

from billing.models import ExchangeRate


def rate(base: str, quote: str, on: date) -> Decimal | None:
    """How many units of ``quote`` one of ``base`` (both in major units) was worth on a day; None if nobody said.

    The latest rate that is not after the day. One that was entered the other way round is turned; of two of the same
    day the one that was entered as asked counts.
    """
    if base == quote:
        return Decimal(1)
    as_asked, inverse = _latest(base, quote, on), _latest(quote, base, on)
    if as_asked and (inverse is None or as_asked.date >= inverse.date):
        return as_asked.rate
    return 1 / inverse.rate if inverse else None


def _latest(base: str, quote: str, on: date) -> ExchangeRate | None:
    return ExchangeRate.objects.filter(base=base, quote=quote, date__lte=on).order_by("-date").first()
