"""What a list remembers of its reader: columns, saved filters, and what it opens with.

Where that is kept is not known here: an app registers a ``ListMemory``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.admin.views.main import ALL_VAR
from django.http import HttpRequest

from backoffice.lib import registry
from backoffice.lib.admin.keyset import AFTER_VAR, BEFORE_VAR

# Where a page begins is nothing to save.
NOT_SAVED = frozenset({AFTER_VAR, BEFORE_VAR, ALL_VAR})


@dataclass(frozen=True, kw_only=True)
class RememberedFilter:
    """A saved filter, whose ``query`` is as ``canonical`` gives it; ``can_change`` says whether the reader may."""

    pk: int
    name: str
    query: str
    is_shared: bool
    is_own: bool
    can_change: bool


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What one reader chose for one list. ``columns`` is None when nothing was."""

    columns: Sequence[str] | None = None
    filters: Sequence[RememberedFilter] = ()
    first_filter: RememberedFilter | None = None


@dataclass(frozen=True, kw_only=True)
class ColumnChoice:
    """A column that can be shown or not."""

    key: str
    label: str
    is_shown: bool


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A saved filter above the list, or the list as a whole when ``filter`` is None."""

    label: str
    url: str
    is_current: bool
    is_first: bool
    filter: RememberedFilter | None = None


def remembered(request: HttpRequest, list_key: str) -> Remembered:
    """What the reader of this request chose for the list; asked once a request."""
    known: dict[str, Remembered] = request.__dict__.setdefault("list_memory", {})
    if list_key not in known:
        memory: registry.ListMemory | None = next(iter(registry.list_memories), None)
        known[list_key] = memory.read(request.user, list_key) if memory else Remembered()
    return known[list_key]


def canonical(query: str) -> str:
    """The query of a list's address in one form, without where its page begins."""
    pairs = parse_qsl(query, keep_blank_values=False)
    return urlencode(sorted((name, value) for name, value in pairs if name not in NOT_SAVED))


def tabs(memory: Remembered, query: str) -> list[Tab]:
    """The whole list and each saved filter; ``query`` is that of the page's address."""
    here, first = canonical(query), memory.first_filter
    # With a first filter, the bare address is that one's.
    whole = Tab(label="All", url=f"?{ALL_VAR}=" if first else "?", is_current=not here, is_first=first is None)
    return [
        whole,
        *(
            Tab(
                label=saved.name,
                url=f"?{saved.query}",
                is_current=saved.query == here,
                is_first=first is not None and saved.pk == first.pk,
                filter=saved,
            )
            for saved in memory.filters
        ),
    ]


def key_of(column: Any) -> str:
    """The name of a column of ``list_display``."""
    return column if isinstance(column, str) else str(column.__name__)


def is_shown_at_first(column: Any) -> bool:
    """Whether a column made elsewhere is shown to whoever has chosen nothing; those of the list itself are."""
    return bool(getattr(column, "shown", True))
