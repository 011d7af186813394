"""What apps offer to code that may not import them.

An app registers from ``AppConfig.ready()``; whoever is above or below reads the entries under their keys.
Every entry carries the permission that is needed to see it, so that no reader has to know the app.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.http import HttpRequest

SECTIONS = (
    "Customers",
    "Credits",
    "Billing",
    "Generations",
    "Moderation",
    "Growth",
    "Analytics",
    "Health",
    "Audit",
    "Settings",
)


class Entry(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def order(self) -> int: ...


E = TypeVar("E", bound=Entry)


class Registry(Generic[E]):
    """Entries of one sort, unique by key, iterated by order and then key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: dict[str, E] = {}

    def register(self, entry: E) -> None:
        if entry.key in self._entries:
            raise ValueError(f"{self.name}: {entry.key!r} is registered twice")
        self._entries[entry.key] = entry

    def get(self, key: str) -> E | None:
        """The entry under this key, if there is one."""
        return self._entries.get(key)

    def __iter__(self) -> Iterator[E]:
        return iter(sorted(self._entries.values(), key=lambda entry: (entry.order, entry.key)))

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True, kw_only=True)
class NavigationItem:
    """A line of the sidebar, for those with the ``permission``, or to whom ``open_to`` says it is open.

    ``badge`` counts what waits for someone and must be cheap, ``badge_for`` what waits for this reader;
    ``badge_query`` is the query that narrows the page to what was counted. Where a count means that something is
    broken, ``alarm`` says so on the home page.
    """

    key: str
    section: str
    label: str
    url_name: str
    icon: str
    permission: str = ""
    open_to: Callable[[Any], bool] | None = None
    order: int = 100
    badge: Callable[[], int] | None = None
    badge_for: Callable[[Any], int] | None = None
    badge_query: str = ""
    alarm: str = ""

    def __post_init__(self) -> None:
        if self.section not in SECTIONS:
            raise ValueError(f"navigation: {self.section!r} is no section of the sidebar")


@dataclass(frozen=True, kw_only=True)
class CustomerPanel:
    """A card on the customer page. ``context`` is given the request and the customer."""

    key: str
    title: str
    template: str
    permission: str
    context: Callable[[HttpRequest, Any], Mapping[str, Any]]
    column: str = "main"
    order: int = 100
    link: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerFigure:
    """A key figure in the head of the customer page: ``value`` renders it for one customer."""

    key: str
    label: str
    permission: str
    value: Callable[[Any], Any]
    order: int = 100


# What the buttons on the customer page are for, in their order.
ACTION_GROUPS = ("Give", "Guard", "Record")


@dataclass(frozen=True, kw_only=True)
class CustomerAction:
    """A button on the customer page that opens a form of its own, for the customers to whom it ``applies``."""

    key: str
    label: str
    icon: str
    permission: str
    url: Callable[[Any], str]
    group: str = "Give"
    applies: Callable[[Any], bool] = lambda customer: True
    order: int = 100

    def __post_init__(self) -> None:
        if self.group not in ACTION_GROUPS:
            raise ValueError(f"customer actions: {self.group!r} is no group of the customer page")


@dataclass(frozen=True, kw_only=True)
class CustomerRowAction:
    """A small button in each row of the customers list that opens a form of its own."""

    key: str
    label: str
    icon: str
    permission: str
    url: Callable[[Any], str]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class CustomerColumn:
    """A column of the customers list. ``load`` is given the page's customers and gives each one's cell, by id.

    It is called once for a page, and only when the column is shown; ``shown`` says whether it is unless the reader
    chose otherwise.
    """

    key: str
    label: str
    permission: str
    load: Callable[[Sequence[Any]], Mapping[int, Any]]
    shown: bool = True
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class CustomerCard:
    """A figure above the customers list. ``value`` and ``note`` are given the totals as they were last counted."""

    key: str
    label: str
    permission: str
    value: Callable[[Any], Any]
    note: Callable[[Any], Any] = lambda totals: ""
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class JumpHit:
    """A line of what Ctrl-K found."""

    label: str
    url: str
    detail: str = ""
    icon: str = "arrow-right"


@dataclass(frozen=True, kw_only=True)
class JumpProvider:
    """Something that Ctrl-K searches: ``find`` gives a few hits for a text that is never empty, by indexes alone."""

    key: str
    label: str
    permission: str
    find: Callable[[str], Iterable[JumpHit]]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class ListMemory:
    """Where what lists remember of their readers is kept: ``read`` is given the reader and the list's key."""

    key: str
    read: Callable[[Any, str], Any]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class CustomerPart:
    """What an app tells a program of one customer beside the person: the latest rows, as ``schema`` has them.

    ``read(user_id, limit)`` gives them, newest first; ``key`` is their name in the answer.
    """

    key: str
    permission: str
    schema: Any
    read: Callable[[int, int], Iterable[Any]]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class EntryLink:
    """What lies behind a ledger entry elsewhere: ``find`` gives the address and the text for one, or None."""

    key: str
    label: str
    permission: str
    find: Callable[[Any], tuple[str, str] | None]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class ResourceLink:
    """Where things that the audit log names have their pages. ``key`` is their type, such as ``accounts.user``.

    ``addresses(user, ids)`` gives the address of each of ``ids`` whose page that user may see, in one query for all;
    without it the type's pages in the admin serve. ``names`` are those under which values of entries hold such an id.
    """

    key: str
    addresses: Callable[[Any, Sequence[str]], Mapping[str, str]] | None = None
    names: tuple[str, ...] = ()
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class HealthProbe:
    """Something the product needs to be well: ``check`` raises when it is not."""

    key: str
    check: Callable[[], None]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class PlanGuard:
    """Something that decides plans: of those in ``managed_among(user_ids)``, the product's word is ignored."""

    key: str
    managed_among: Callable[[Collection[int]], Collection[int]]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class DemoGuard:
    """Something that counts customers: those in ``counted_among(user_ids)`` cannot become demo customers."""

    key: str
    counted_among: Callable[[Collection[int]], Collection[int]]
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class RoleBounds:
    """What bounds the acts of a role, on its page: ``shown(group_id)``.

    ``caution(group_id)`` is said when the role is saved; empty when there is nothing to say.
    """

    key: str
    shown: Callable[[int], Any]
    caution: Callable[[int], str]
    order: int = 100


navigation: Registry[NavigationItem] = Registry("navigation")
customer_panels: Registry[CustomerPanel] = Registry("customer panels")
customer_figures: Registry[CustomerFigure] = Registry("customer figures")
customer_parts: Registry[CustomerPart] = Registry("customer parts")
customer_actions: Registry[CustomerAction] = Registry("customer actions")
customer_row_actions: Registry[CustomerRowAction] = Registry("customer row actions")
customer_columns: Registry[CustomerColumn] = Registry("customer columns")
customer_cards: Registry[CustomerCard] = Registry("customer cards")
jump_providers: Registry[JumpProvider] = Registry("jump providers")
list_memories: Registry[ListMemory] = Registry("list memories")
entry_links: Registry[EntryLink] = Registry("entry links")
resource_links: Registry[ResourceLink] = Registry("resource links")
health_probes: Registry[HealthProbe] = Registry("health probes")
plan_guards: Registry[PlanGuard] = Registry("plan guards")
demo_guards: Registry[DemoGuard] = Registry("demo guards")
role_bounds: Registry[RoleBounds] = Registry("role bounds")
