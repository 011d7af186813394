"""A part of a page that fails shows its error, and the page lives."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import structlog
from django.db import connection, transaction

logger = structlog.get_logger(__name__)

T = TypeVar("T")


def attempt(what: str, read: Callable[[], T]) -> tuple[T | None, str]:
    """The result of ``read`` and no error, or None and the name of the error, which is logged. For reads only."""
    try:
        with _guard():
            return read(), ""
    except Exception as error:  # (the parts come from every app, each with its own ways to fail)
        logger.exception("part of a page failed", part=what)
        return None, type(error).__name__


def _guard() -> AbstractContextManager[object]:
    # A failed query would abort the transaction around it; outside of one there is nothing to guard.
    return transaction.atomic() if connection.in_atomic_block else nullcontext()
