"""Acts on credits for which roles have limits, in credits."""

from enum import StrEnum


class Limit(StrEnum):
    GIFT = "credits.gift"
    ADJUST = "credits.adjust"
    REFUND = "credits.refund"
