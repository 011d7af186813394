"""Money in integer minor units and ISO 4217 codes, credits as decimals; shown by Babel."""

from decimal import Decimal

from babel.numbers import format_currency, format_decimal, list_currencies

LOCALE = "en_US"

# ISO 4217's minor units, as far as they are not two decimals. Unicode's data, which Babel carries, knows how people
# round instead: it gives RSD or LBP none.
ISO_DECIMALS = {
    0: ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"],
    3: ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"],
    4: ["CLF", "UYW"],
}
_DECIMALS = {code: decimals for decimals, codes in ISO_DECIMALS.items() for code in codes}


def exponent(currency: str) -> int:
    """Decimals of the currency's minor unit: 2 for USD, 0 for JPY, 3 for KWD."""
    return _DECIMALS.get(currency.upper(), 2)


def is_currency(code: str) -> bool:
    """Whether ``code`` (any case) is an ISO 4217 currency."""
    return code.upper() in list_currencies()


def major_units(minor: int, currency: str) -> Decimal:
    """1234 minor units of USD are Decimal("12.34")."""
    return Decimal(minor).scaleb(-exponent(currency))


def minor_units(amount: Decimal, currency: str) -> int:
    """Decimal("12.34") of USD are 1234 minor units. Raises ValueError when the currency has fewer decimals."""
    minor = amount.scaleb(exponent(currency))
    if minor != int(minor):
        raise ValueError(f"A price in {currency} has at most {exponent(currency)} decimals.")
    return int(minor)


def format_money(minor: int, currency: str) -> str:
    """``$12.34`` for 1234 minor units of USD."""
    decimals = exponent(currency)
    pattern = "¤#,##0" + ("." + "0" * decimals if decimals else "")
    amount = major_units(minor, currency)
    return format_currency(amount, currency.upper(), format=pattern, locale=LOCALE, currency_digits=False)


def format_credits(amount: Decimal) -> str:
    """Credits with thousands separators and no trailing zeros: ``1,250`` or ``0.0125``."""
    return format_decimal(amount, format="#,##0.####", locale=LOCALE)


def plain_credits(amount: Decimal) -> str:
    """Credits for programs and evidence: exact, without exponent or trailing zeros, such as ``1250`` or ``0.0125``."""
    return f"{amount.normalize():f}"
