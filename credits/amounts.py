"""Amounts of credits: read from people and programs, and held to what the ledger can carry.

Credits are NUMERIC(18,4). One movement is at most MAX_AMOUNT, so that no sum on an account can overflow.
"""

import re
from decimal import Decimal

from credits.errors import InvalidAmount

DECIMAL_PLACES = 4
MAX_AMOUNT = Decimal(1_000_000_000)
MAX_BALANCE = Decimal(10_000_000_000_000)

# Plain ASCII digits only: no exponent, underscore, thousands separator, full-width digit or NaN.
_PLAIN_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,40})(?:\.(?P<fraction>[0-9]{1,40}))?")


def parse_amount(text: str) -> Decimal:
    """Read a positive amount of credits such as ``100`` or ``0.25`` exactly. Raises InvalidAmount."""
    match = _PLAIN_DECIMAL.fullmatch(text.strip(" "))
    if match is None:
        raise InvalidAmount("Write the amount in plain digits, such as 100 or 0.25.")
    if len((match["fraction"] or "").rstrip("0")) > DECIMAL_PLACES:
        raise InvalidAmount("An amount has at most 4 decimal places.")
    return check_amount(Decimal(match[0]))


def parse_signed_amount(text: str) -> Decimal:
    """Read an amount of credits that may be negative, such as ``-2.5``, exactly. Raises InvalidAmount."""
    text = text.strip(" ")
    return -parse_amount(text[1:]) if text.startswith("-") and text[1:2].isdigit() else parse_amount(text)


def check_amount(amount: Decimal) -> Decimal:
    """Return ``amount`` if it is a positive amount that the ledger can carry, else raise InvalidAmount."""
    if not amount.is_finite():
        raise InvalidAmount("The amount must be a number.")
    if amount <= 0:
        raise InvalidAmount("The amount must be more than 0.")
    if amount > MAX_AMOUNT:
        raise InvalidAmount("The amount is above the largest movement, 1,000,000,000 credits.")
    if amount != amount.quantize(Decimal(1).scaleb(-DECIMAL_PLACES)):
        raise InvalidAmount("An amount has at most 4 decimal places.")
    return amount
