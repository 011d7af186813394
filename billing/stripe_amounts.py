"""Stripe's amounts and ours: both are whole numbers of a smallest unit, but not always of the same one."""

from decimal import Decimal

from backoffice.lib import money
from billing.errors import NotRefundable, Parked
from billing.models.payments import MAX_MINOR

# https://docs.stripe.com/currencies: charges in these have no decimals, or three; all others have two, even where the
# currency itself has none, such as ISK and UGX.
ZERO_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def minor_units(amount: int | None, currency: str) -> int:
    """Stripe's ``amount`` of ``currency`` (ISO code, capitals) in our minor units. Raises Parked."""
    if not money.is_currency(currency):
        raise Parked("The event names no currency that we know. Compare it with the payment in Stripe.")
    if amount is None or not 0 < amount <= MAX_MINOR:
        raise Parked("The event does not say how much was paid. Compare it with the payment in Stripe.")
    ours = converted(amount, currency)
    if ours is None:
        raise Parked(f"{amount} is no amount of {currency} that we can book. Compare it with the payment in Stripe.")
    return ours


def converted(amount: int | None, currency: str) -> int | None:
    """Stripe's ``amount``, 0 and below too, in our minor units; None if it is none of a currency that we know."""
    if amount is None or not money.is_currency(currency) or abs(amount) > MAX_MINOR:
        return None
    ours = Decimal(amount).scaleb(money.exponent(currency) - _stripe_exponent(currency))
    return int(ours) if ours == int(ours) and abs(ours) <= MAX_MINOR else None


def stripe_units(minor: int, currency: str) -> int:
    """``minor`` units of ours in Stripe's. Raises NotRefundable for an amount that Stripe cannot move."""
    theirs = Decimal(minor).scaleb(_stripe_exponent(currency) - money.exponent(currency))
    # Of three decimals, the card networks carry two: Stripe takes such amounts in tens.
    step = 10 if currency in THREE_DECIMALS else 1
    if theirs % step:
        smallest = Decimal(step).scaleb(-_stripe_exponent(currency))
        raise NotRefundable(f"Stripe moves {currency} in steps of {smallest:f}. Choose such an amount.")
    return int(theirs)


def _stripe_exponent(currency: str) -> int:
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def in_minor_units(amount: Decimal, currency: str) -> Decimal:
    """A price of Stripe's, which may have parts of its smallest unit, in our minor units of ``currency`` (capitals)."""
    return amount.scaleb(money.exponent(currency) - _stripe_exponent(currency))
