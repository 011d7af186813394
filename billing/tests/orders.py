"""What is left of some events of Stripe's in each order that they could come in."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import transaction

from billing.services.inbox import receive_event
from billing.services.processing import process_event
from billing.tests.stripe_bodies import encoded


class Rolled(Exception):
    """Takes back what an order did."""


def tell(body: dict) -> None:
    """An event comes, and the worker does it at once; below HTTP."""
    stored = receive_event(body=encoded(body))
    assert stored is not None
    process_event(event_id=stored.pk)


def orders(events: Sequence[dict], look: Callable[[], Any]) -> Iterator[Any]:
    """What is seen after each order of these events. Orders share their beginnings, and nothing stays."""
    if not events:
        yield look()
    for place, body in enumerate(events):
        try:
            with transaction.atomic():
                tell(body)
                yield from orders([*events[:place], *events[place + 1 :]], look)
                raise Rolled
        except Rolled:
            pass
