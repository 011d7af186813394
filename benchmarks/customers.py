"""Whom the client processes of the product charge: each customer as likely as any other."""

import os
import random
import uuid

_first, _last = map(int, os.environ["BENCHMARK_CUSTOMERS"].split("-"))


def some(number: int) -> list[int]:
    """Ids of customers."""
    return random.choices(range(_first, _last + 1), k=number)


def new_key() -> str:
    """An idempotency key as products make them."""
    return f"bench:{uuid.uuid4()}"
