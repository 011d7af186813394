"""The sidebar: the registry's entries that someone may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.http import HttpRequest
from django.urls import reverse

from backoffice.lib import registry
from backoffice.lib.admin.resilience import attempt


@dataclass(frozen=True, kw_only=True)
class SidebarItem:
    """A line of the sidebar. ``badge`` is None when nothing waits; what waits is at ``waiting_url``.

    ``alarm`` says what is wrong, once the badge does.
    """

    key: str
    section: str
    label: str
    url: str
    waiting_url: str
    icon: str
    current: bool
    badge: int | None
    alarm: str


@dataclass(frozen=True, kw_only=True)
class SidebarSection:
    label: str
    items: Sequence[SidebarItem]


def sidebar(request: HttpRequest) -> list[SidebarSection]:
    """The sections in their fixed order, without the empty ones."""
    items = _items(request)
    sections = (
        SidebarSection(label=label, items=[item for item in items if item.section == label])
        for label in registry.SECTIONS
    )
    return [section for section in sections if section.items]


def current_item(sections: Sequence[SidebarSection]) -> SidebarItem | None:
    """The line that the page belongs to."""
    return next((item for section in sections for item in section.items if item.current), None)


def set_current(request: HttpRequest, key: str) -> None:
    """Mark the entry ``key`` as current, for a page whose address lies elsewhere."""
    request.navigation_key = key  # type: ignore[attr-defined]


def _items(request: HttpRequest) -> list[SidebarItem]:
    allowed = [(entry, reverse(entry.url_name)) for entry in registry.navigation if _may_see(request, entry)]
    key = getattr(request, "navigation_key", None)
    # A page below two entries belongs to the nearer one, whose address is the longer.
    here = max((url for _, url in allowed if request.path.startswith(url)), key=len, default=None)
    return [_item(request, entry, url, current=entry.key == key if key else url == here) for entry, url in allowed]


def _item(request: HttpRequest, entry: registry.NavigationItem, url: str, *, current: bool) -> SidebarItem:
    badge = _badge(request, entry)
    return SidebarItem(
        key=entry.key,
        section=entry.section,
        label=entry.label,
        url=url,
        waiting_url=f"{url}?{entry.badge_query}" if entry.badge_query else url,
        icon=entry.icon,
        current=current,
        badge=badge,
        alarm=entry.alarm if badge else "",
    )


def _may_see(request: HttpRequest, entry: registry.NavigationItem) -> bool:
    return entry.open_to(request.user) if entry.open_to else request.user.has_perm(entry.permission)


def _badge(request: HttpRequest, entry: registry.NavigationItem) -> int | None:
    count = entry.badge or (entry.badge_for and partial(entry.badge_for, request.user))
    if count is None:
        return None
    waiting, _ = attempt(f"badge of {entry.key}", count)
    return waiting or None
