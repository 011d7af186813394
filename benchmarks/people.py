"""Customers with credits, made through the product's own services. Runs in a client process."""

from datetime import timedelta
from decimal import Decimal

from accounts.models import Customer
from accounts.services import count_customers
from backoffice.lib import clock
from credits import selectors, services
from credits.kinds import TransactionKind
from credits.postings import Posting

AT_ONCE = 2000
# More than any run draws, so that each charge meets an account that can bear it.
LOT = Decimal(100_000)


def populate(accounts: int) -> tuple[int, int]:
    """Make customers with one to three lots each: a gift, a purchase, a gift that lapses. Returns the ids' range.

    Each was charged before in this month.
    """
    people = Customer.objects.bulk_create(
        Customer(email=f"customer{number}@example.com", external_id=f"u_{number}", password="!")  # noqa: S106
        for number in range(accounts)
    )
    ids = [person.pk for person in people]
    postings = [
        posting for number, pk in enumerate(ids) for posting in [*_lots(pk)[: 1 + number % 3], _first_charge(pk)]
    ]
    for start in range(0, len(postings), AT_ONCE):
        services.post_batch(postings[start : start + AT_ONCE])
    if ids[-1] - ids[0] + 1 != accounts:
        raise RuntimeError("the ids of the customers have gaps")
    return ids[0], ids[-1]


def _lots(pk: int) -> list[Posting]:
    return [
        Posting(user_id=pk, kind=TransactionKind.GIFT, amount=LOT, idempotency_key=f"bench:gift:{pk}"),
        Posting(
            user_id=pk,
            kind=TransactionKind.PURCHASE,
            amount=LOT,
            idempotency_key=f"bench:purchase:{pk}",
            paid_minor=99_900,
            currency="USD",
        ),
        Posting(
            user_id=pk,
            kind=TransactionKind.GIFT,
            amount=LOT,
            idempotency_key=f"bench:lapsing:{pk}",
            expires_at=clock.now() + timedelta(days=365),
        ),
    ]


def _first_charge(pk: int) -> Posting:
    # The first usage of a month begins the account's period, which the ones after it find begun.
    return Posting(user_id=pk, kind=TransactionKind.USAGE, amount=Decimal(-1), idempotency_key=f"bench:first:{pk}")


def faults() -> list[str]:
    """What verify_ledger finds."""
    return [str(fault) for fault in selectors.verify()]


def count() -> None:
    """Add up all customers for the cards above their list."""
    count_customers()


COMMANDS = {"populate": populate, "faults": faults, "count": count}
