"""What the ledger refuses is for people to set right."""

from collections.abc import Iterator
from contextlib import contextmanager

from billing.errors import Parked
from credits.errors import CreditError


@contextmanager
def refusals_park() -> Iterator[None]:
    """Raise Parked for a CreditError."""
    try:
        yield
    except CreditError as error:
        raise Parked(f"The ledger refuses the credits of this payment: {error} Set that right, then replay.") from error
