"""What Stripe says of a customer of its own, in the shape of any API version. No I/O here."""

from dataclasses import dataclass
from typing import Any

from billing.payloads import id_at, texts_at, value_at


@dataclass(frozen=True, kw_only=True)
class CustomerTold:
    """Stripe's id of a customer, and the users whom the metadata names, as the product calls them."""

    stripe_customer_id: str
    references: frozenset[str]


def read_customer(customer: Any) -> CustomerTold:
    """Read a customer."""
    return CustomerTold(
        stripe_customer_id=id_at(customer, "id"), references=named_users(value_at(customer, "metadata"))
    )


def read_buyer(subject: Any) -> CustomerTold:
    """Read whom a checkout session or a subscription is of."""
    return CustomerTold(
        stripe_customer_id=id_at(subject, "customer"), references=named_users(value_at(subject, "metadata"))
    )


def named_users(metadata: Any) -> frozenset[str]:
    """The users whom metadata names, as the product calls them."""
    return texts_at(metadata, "user_id", "userId")
