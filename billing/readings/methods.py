"""What Stripe says of a payment method. No I/O here."""

from dataclasses import dataclass
from typing import Any

from billing.payloads import id_at, text_at, value_at, whole_at


@dataclass(frozen=True, kw_only=True)
class MethodTold:
    """One way to pay. ``name`` is ``Visa •••• 4242``; ``expires`` the year and month after which a card is void."""

    stripe_id: str
    name: str
    expires: tuple[int, int] | None


def read_method(method: Any) -> MethodTold:
    """Read a payment method."""
    kind = text_at(method, "type", limit=64)
    details = value_at(method, kind)
    brand = text_at(details, "brand", limit=64) or text_at(details, "bank_name", limit=64) or kind
    last4 = text_at(details, "last4", limit=4)
    name = brand.replace("_", " ").capitalize()
    year, month = whole_at(details, "exp_year"), whole_at(details, "exp_month")
    return MethodTold(
        stripe_id=id_at(method, "id"),
        name=f"{name} •••• {last4}" if last4 else name,
        expires=(year, month) if year and month and 1 <= month <= 12 else None,
    )
