"""Careful reading of Stripe's JSON: whatever stands where something else was expected reads as nothing."""

import re
from datetime import UTC, datetime
from typing import Any

from billing.models.events import STRIPE_ID_LENGTH

STRIPE_ID = re.compile(rf"[A-Za-z0-9_.:-]{{1,{STRIPE_ID_LENGTH}}}")
# The years that both PostgreSQL and Python can show.
LAST_SECOND = 253_402_300_799


def value_at(value: Any, *path: str | int) -> Any:
    """What stands at ``path`` below ``value``, or None."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text_at(value: Any, *path: str | int, limit: int) -> str:
    """The text at ``path`` if it has at most ``limit`` characters, else nothing."""
    found = value_at(value, *path)
    return found if isinstance(found, str) and len(found) <= limit else ""


def id_at(value: Any, *path: str | int) -> str:
    """The id at ``path``, where Stripe may also have put the whole object."""
    found = value_at(value, *path)
    return stripe_id(found.get("id") if isinstance(found, dict) else found)


def stripe_id(value: Any) -> str:
    """``value`` if it can be an id of Stripe's, else nothing."""
    return value if isinstance(value, str) and STRIPE_ID.fullmatch(value) else ""


def whole_at(value: Any, *path: str | int) -> int | None:
    """The whole number at ``path``."""
    found = value_at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def texts_at(value: Any, *keys: str) -> frozenset[str]:
    """What stands under these keys of metadata, as text, which it should be."""
    found = (value_at(value, key) for key in keys)
    return frozenset(each if isinstance(each, str) else repr(each) for each in found if each is not None)


def moment_at(value: Any, *path: str | int) -> datetime | None:
    """The moment at ``path``, which Stripe writes as seconds since 1970."""
    seconds = whole_at(value, *path)
    if seconds is None or not 0 <= seconds <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)
