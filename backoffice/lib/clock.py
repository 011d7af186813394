"""The one clock. Services ask it for the time; tests and the demo move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_frozen_at: ContextVar[datetime | None] = ContextVar("clock_frozen_at", default=None)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _frozen_at.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Stand still at ``moment`` (aware) inside the block, in this thread or task only."""
    if moment.tzinfo is None:
        raise ValueError("The clock takes aware datetimes only.")
    token = _frozen_at.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _frozen_at.reset(token)
