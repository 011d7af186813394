"""Reads of what currencies are worth in each other."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from billing.models import ExchangeRate


@dataclass(frozen=True)
class Rates:
    """Rates into one currency, read once: of each other one its days in order, and what it was worth from each on."""

    quote: str
    known: Mapping[str, tuple[Sequence[date], Sequence[Decimal]]]

    def on(self, base: str, day: date) -> Decimal | None:
        """How many units of ``quote`` one of ``base`` (both in major units) was worth; None if nobody said.

        The latest rate that is not after the day.
        """
        if base == self.quote:
            return Decimal(1)
        days, worths = self.known.get(base, ((), ()))
        place = bisect_right(days, day)
        return worths[place - 1] if place else None


def rates_to(quote: str, bases: Collection[str], *, until: date | None) -> Rates:
    """The rates of ``bases`` in ``quote`` up to ``until`` (None: all), in one query.

    One that was entered the other way round is turned; of two of the same day the one that was entered as asked counts.
    """
    others = set(bases) - {quote}
    found = ExchangeRate.objects.filter(Q(base__in=others, quote=quote) | Q(base=quote, quote__in=others))
    if until:
        found = found.filter(date__lte=until)
    by_day: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
    if others:
        for base, other, day, rate in found.values_list("base", "quote", "date", "rate"):
            if other == quote:
                by_day[base][day] = rate  # Whichever came first, it counts.
            else:
                by_day[other].setdefault(day, 1 / rate)
    return Rates(quote, {base: _in_order(days) for base, days in by_day.items()})


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


def _in_order(days: Mapping[date, Decimal]) -> tuple[Sequence[date], Sequence[Decimal]]:
    ordered = sorted(days)
    return ordered, [days[day] for day in ordered]
