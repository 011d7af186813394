"""Numbers that Stripe writes with decimals, as numbers or as texts."""

from decimal import Decimal, InvalidOperation
from typing import Any

from billing.payloads import value_at

# What the columns hold that they are kept in.
LARGEST, SMALLEST_STEP = Decimal(10) ** 11, Decimal(1).scaleb(-12)
LARGEST_COUNT = 32_767


def decimal_at(value: Any, *path: str | int) -> Decimal | None:
    """The number from 0 on at ``path``, such as 12.5 or "0.005"."""
    found = value_at(value, *path)
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return None
    try:
        # By its text: the float 0.1 is meant as a tenth.
        number = Decimal(str(found)) if len(str(found)) <= 64 else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or not 0 <= number < LARGEST:
        return None
    return number.quantize(SMALLEST_STEP)
