"""Permissions as people read them: in areas like those of the sidebar, each as a verb."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.http import HttpRequest

from accounts.models import DefaultRole
from backoffice.lib import registry
from backoffice.lib.exports import exports
from backoffice.lib.work import job_kinds

# The verbs that Django makes for every model.
STOCK_VERBS = {"view": "See", "add": "Add", "change": "Change", "delete": "Delete"}


@dataclass(frozen=True)
class Choice:
    """A permission to choose: what it lets somebody do, and its name in code."""

    id: int
    name: str
    label: str


@dataclass(frozen=True)
class Area:
    label: str
    choices: Collection[Choice]


class _Everybody:
    """Somebody with every permission who is no super admin: what is closed to them no permission opens."""

    is_active = is_staff = is_authenticated = True
    is_superuser = is_anonymous = False
    pk = id = 0

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        return True

    def has_module_perms(self, app_label: str) -> bool:
        return True


def areas(also: Collection[int] = ()) -> list[Area]:
    """The permissions that open something, by area; and those whose ids are in ``also``, whatever they open."""
    meaningful = set(_asked_for())
    found: dict[str, list[Choice]] = {label: [] for label in registry.SECTIONS}
    for permission in sorted(Permission.objects.select_related("content_type"), key=_order):
        name = name_of(permission)
        if name in meaningful or permission.pk in also or not _is_stock(permission):
            found[_area_of(permission)].append(Choice(permission.pk, name, label_of(permission)))
    return [Area(label, choices) for label, choices in found.items() if choices]


def name_of(permission: Permission) -> str:
    """``credits.gift_credits``."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def label_of(permission: Permission) -> str:
    """``Gift credits``; ``See customers`` of what Django calls ``Can view customer``."""
    if not _is_stock(permission):
        return permission.name.removeprefix("Can ")[:1].upper() + permission.name.removeprefix("Can ")[1:]
    model = permission.content_type.model_class()
    things = str(model._meta.verbose_name_plural) if model else permission.content_type.model
    return f"{STOCK_VERBS[permission.codename.partition('_')[0]]} {things}"


def _order(permission: Permission) -> tuple[int, int, int]:
    """Model by model: to see, to add, to change, to delete, and then the verbs of its own."""
    verb = permission.codename.partition("_")[0]
    stock = list(STOCK_VERBS).index(verb) if _is_stock(permission) else len(STOCK_VERBS)
    return permission.content_type_id, stock, permission.pk


def _is_stock(permission: Permission) -> bool:
    verb, _, model = permission.codename.partition("_")
    return verb in STOCK_VERBS and model == permission.content_type.model


def _asked_for() -> Iterator[str]:
    """What pages, buttons, panels and files ask for."""
    request: Any = HttpRequest()
    request.user = _Everybody()
    for model, model_admin in admin.site._registry.items():
        for verb in STOCK_VERBS:
            if getattr(model_admin, f"has_{verb}_permission")(request):
                yield f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
    yield from (entry.permission for entry in _entries())
    # What a default role was given is asked for somewhere, if only by a view of its own.
    yield from chain.from_iterable(DefaultRole.objects.values_list("applied", flat=True))


def _entries() -> Iterable[Any]:
    return chain(
        registry.navigation,
        registry.customer_panels,
        registry.customer_figures,
        registry.customer_actions,
        registry.entry_links,
        exports,
        job_kinds,
    )


def _area_of(permission: Permission) -> str:
    """The section of the sidebar in which the model stands, else the first one of its app."""
    app_label, model = permission.content_type.app_label, permission.content_type.model
    sections = {item.url_name: item.section for item in registry.navigation}
    own = sections.get(f"admin:{app_label}_{model}_changelist")
    if own:
        return own
    of_app = (section for name, section in sections.items() if name.startswith(f"admin:{app_label}_"))
    return next(of_app, "Settings")
