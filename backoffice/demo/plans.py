"""The plans that the company sells by subscription, at which prices, and what currencies are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A plan: ``credits`` a month, ``trial`` in a trial; ``prices`` in minor units by currency and interval."""

    key: str
    name: str
    credits: Decimal
    trial: Decimal
    prices: Mapping[tuple[str, str], int] = field(hash=False)

    @property
    def product_id(self) -> str:
        return f"prod_{self.name}Plan00001"

    def price_id(self, currency: str, interval: str) -> str:
        return f"price_1Pz{self.name}{currency.capitalize()}{interval.capitalize()}01"


def _prices(dollars: int, euros: int) -> Mapping[tuple[str, str], int]:
    # Two months of a year are free.
    monthly = {"USD": dollars * 100, "EUR": euros * 100}
    return {
        (currency, interval): minor * times
        for currency, minor in monthly.items()
        for interval, times in (("month", 1), ("year", 10))
    }


# From the smallest to the largest.
TIERS = {
    tier.key: tier
    for tier in (
        Tier(key="starter", name="Starter", credits=Decimal(40), trial=Decimal(10), prices=_prices(7, 7)),
        Tier(key="pro", name="Pro", credits=Decimal(160), trial=Decimal(40), prices=_prices(19, 18)),
        Tier(key="studio", name="Studio", credits=Decimal(640), trial=Decimal(80), prices=_prices(59, 55)),
    )
}
# What one unit of a currency is worth in dollars as the story begins, and how much that moves in a week at most.
WORTH = {"EUR": Decimal("1.0850"), "JPY": Decimal("0.006600")}
SWAY = Decimal("0.006")


def smaller(tier: Tier) -> Tier:
    """The next smaller plan; the smallest is its own."""
    ordered = list(TIERS.values())
    return ordered[max(0, ordered.index(tier) - 1)]
