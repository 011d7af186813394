"""What narrows the audit log."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from audit import actions, selectors
from audit.models import AuditEntry

MOST_STAFF = 300
SYSTEM = "system"
# Before the name of an area: all of its actions.
AREA = "area:"


class ActionFilter(admin.SimpleListFilter):
    title, parameter_name, template = "action", "action", "audit/action_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(action.value, action.label) for action in actions.Action]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen.startswith(AREA):
            return queryset.filter(action__in=actions.by_area().get(chosen.removeprefix(AREA), []))
        return queryset.filter(action=chosen)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """All of them, then a group for each area, the one of what is chosen open."""
        yield self._choice(changelist, None, "All")
        chosen = (self.value() or "").removeprefix(AREA)
        for area, members in actions.by_area().items():
            label = actions.area_label(area)
            whole = self._choice(changelist, AREA + area, f"All of {label[0].lower() + label[1:]}")
            yield {
                "area": label,
                "open": actions.area_of(chosen) == area,
                "actions": [whole, *(self._choice(changelist, each, each.label) for each in members)],
            }

    def chip_text(self) -> str:
        chosen = self.value() or ""
        if chosen.startswith(AREA):
            return actions.area_label(chosen.removeprefix(AREA))
        return actions.label_of(chosen)

    def _choice(self, changelist: ChangeList, value: str | None, display: str) -> dict[str, Any]:
        return {
            "display": display,
            "verb": value if isinstance(value, actions.Action) else "",
            "selected": self.value() == value,
            "query_string": changelist.get_query_string({self.parameter_name: value}),
        }


class StaffFilter(admin.SimpleListFilter):
    title, parameter_name = "staff", "staff"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        staff = get_user_model().objects.filter(is_staff=True).order_by("email")[:MOST_STAFF]
        return [(SYSTEM, "The system itself"), *((str(member.pk), str(member)) for member in staff)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen == SYSTEM:
            return queryset.filter(actor__isnull=True)
        if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= 18):
            raise IncorrectLookupParameters(f"{chosen} is nobody on the staff")
        return queryset.filter(actor_id=int(chosen))


class ResourceTypeFilter(admin.SimpleListFilter):
    title, parameter_name = "resource type", "resource_type__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return sorted(((type_, type_label(type_)) for type_ in selectors.resource_types()), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(resource_type=self.value()) if self.value() else queryset


def type_label(type_: str) -> str:
    """What a type is called: by its model, else as it was written."""
    app_label, _, model_name = type_.partition(".")
    model = apps.all_models.get(app_label, {}).get(model_name)
    return str(model._meta.verbose_name).capitalize() if model else type_
