"""The customer page: what the apps registered for it, as far as the reader may see it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from backoffice.lib import registry
from backoffice.lib.admin.display import absent
from backoffice.lib.admin.resilience import attempt

Offer = TypeVar("Offer", registry.CustomerPanel, registry.CustomerFigure, registry.CustomerAction)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A rendered card; ``error`` names what went wrong in it, and then ``html`` is empty."""

    key: str
    title: str
    html: str
    error: str
    link: str | None


@dataclass(frozen=True, kw_only=True)
class Figure:
    key: str
    label: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Action:
    key: str
    label: str
    icon: str
    url: str


@dataclass(frozen=True, kw_only=True)
class ActionGroup:
    name: str
    actions: Sequence[Action]


def customer_page(request: HttpRequest, customer: Any) -> dict[str, Sequence[Any]]:
    """Context of the customer page: ``figures``, ``action_groups``, ``panels_main`` and ``panels_side``.

    A panel whose template says nothing is left out.
    """
    panels = list(_allowed(request, registry.customer_panels))
    return {
        "figures": [_figure(entry, customer) for entry in _allowed(request, registry.customer_figures)],
        "action_groups": _groups(request, customer),
        "panels_main": _panels(request, customer, [entry for entry in panels if entry.column == "main"]),
        "panels_side": _panels(request, customer, [entry for entry in panels if entry.column != "main"]),
    }


def _allowed(request: HttpRequest, entries: Iterable[Offer]) -> Iterator[Offer]:
    return (entry for entry in entries if request.user.has_perm(entry.permission))


def _figure(entry: registry.CustomerFigure, customer: Any) -> Figure:
    value, error = attempt(f"figure {entry.key}", lambda: entry.value(customer))
    return Figure(key=entry.key, label=entry.label, value=absent(error) if error else value)


def _groups(request: HttpRequest, customer: Any) -> list[ActionGroup]:
    """The acts that the reader may do to this customer, in groups that hold any."""
    entries = [entry for entry in _allowed(request, registry.customer_actions) if entry.applies(customer)]
    groups = (
        ActionGroup(name=name, actions=[_action(entry, customer) for entry in entries if entry.group == name])
        for name in registry.ACTION_GROUPS
    )
    return [group for group in groups if group.actions]


def _action(entry: registry.CustomerAction, customer: Any) -> Action:
    return Action(key=entry.key, label=entry.label, icon=entry.icon, url=entry.url(customer))


def _panels(request: HttpRequest, customer: Any, entries: Iterable[registry.CustomerPanel]) -> list[Panel]:
    panels = (_panel(entry, request, customer) for entry in entries)
    return [panel for panel in panels if panel.error or panel.html.strip()]


def _panel(entry: registry.CustomerPanel, request: HttpRequest, customer: Any) -> Panel:
    html, error = attempt(f"panel {entry.key}", lambda: _render(entry, request, customer))
    link = entry.link(customer) if entry.link else None
    return Panel(key=entry.key, title=entry.title, html=html or SafeString(), error=error, link=link)


def _render(entry: registry.CustomerPanel, request: HttpRequest, customer: Any) -> SafeString:
    context = {"customer": customer, "panel": entry, **entry.context(request, customer)}
    return render_to_string(entry.template, context, request=request)
