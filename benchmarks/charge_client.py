"""A client that charges customers one at a time. Runs in a client process."""

from decimal import Decimal

from benchmarks import customers
from benchmarks.child import run_for
from credits import services

ONE = Decimal(1)


def charge() -> None:
    (customer,) = customers.some(1)
    services.charge_credits(user_id=customer, amount=ONE, idempotency_key=customers.new_key(), action_type="image")


def charges(seconds: float, start_at: float) -> dict[str, float]:
    return run_for(seconds, start_at, charge)


COMMANDS = {"charges": charges}
