"""What the home page tells a reader of their own: apps register it under a key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from backoffice.lib.admin.resilience import attempt
from backoffice.lib.registry import Registry


@dataclass(frozen=True, kw_only=True)
class News:
    """Something that came of what the reader did, with the page that tells more. ``badge`` is safe HTML."""

    text: str
    url: str
    badge: Any
    at: Any


@dataclass(frozen=True, kw_only=True)
class NewsSource:
    """``load(user)`` gives a few, the newest first, by one cheap query."""

    key: str
    load: Callable[[Any], Sequence[News]]
    order: int = 100


news_sources: Registry[NewsSource] = Registry("news sources")


def news_for(user: Any) -> list[News]:
    """The news of all apps; a source that fails is left out."""
    found = (attempt(f"news of {source.key}", partial(source.load, user))[0] for source in news_sources)
    return [news for loaded in found for news in loaded or ()]
