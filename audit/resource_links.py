"""From what an entry names to its page, as far as the reader may see that."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib.registry import resource_links

Resource = tuple[str, str]


def addresses_of(request: HttpRequest, wanted: Iterable[Resource]) -> dict[Resource, str]:
    """The address of each of ``wanted``, pairs of type and id, whose page the reader may see."""
    ids_of_type = defaultdict(set)
    for type_, id_ in wanted:
        if id_:
            ids_of_type[type_].add(id_)
    return {
        (type_, id_): address
        for type_, ids in ids_of_type.items()
        for id_, address in _addresses(request, type_, sorted(ids)).items()
    }


def resources_in(entry: AuditEntry) -> dict[str, Resource]:
    """What the values of an entry name beside its resource: by the name of the value."""
    values = {**entry.old_values, **entry.new_values}
    return {
        name: (link.key, str(values[name]))
        for link in resource_links
        for name in link.names
        if isinstance(values.get(name), int | str)
    }


def _addresses(request: HttpRequest, type_: str, ids: Sequence[str]) -> Mapping[str, str]:
    link = next((link for link in resource_links if link.key == type_), None)
    if link and link.addresses:
        return link.addresses(request.user, ids)
    model_admin = _admin_of(type_)
    if model_admin is None or not model_admin.has_view_permission(request):
        return {}
    name = f"admin:{type_.replace('.', '_')}_change"
    return {id_: reverse(name, args=[quote(id_)]) for id_ in ids}


def _admin_of(type_: str) -> "admin.ModelAdmin[Any] | None":
    # By its label, since the log also names what has no model, or none any more.
    return next((each for model, each in admin.site._registry.items() if model._meta.label_lower == type_), None)
