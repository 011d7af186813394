"""Which texts PostgreSQL can keep: all but those with a NUL or half a surrogate pair."""

from collections.abc import Iterator
from typing import Any

NUL = "\x00"


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value as JSON has it, the names of objects included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += item.keys()
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item


def has_half_character(text: str) -> bool:
    """Whether half a surrogate pair is in it, which is no character."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
