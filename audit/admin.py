"""The audit log as staff read it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit.actions import Action
from audit.exportlists import ExportMixin
from audit.models import AuditEntry
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter

MOST_STAFF = 300


class ActionFilter(admin.SimpleListFilter):
    title, parameter_name = "action", "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(action.value, action.value) for action in Action]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class StaffFilter(admin.SimpleListFilter):
    title, parameter_name = "staff", "staff"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        staff = get_user_model().objects.filter(is_staff=True).order_by("email")[:MOST_STAFF]
        return [(str(member.pk), str(member)) for member in staff]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        chosen = self.value() or ""
        is_id = chosen.isascii() and chosen.isdigit() and len(chosen) <= 18
        return queryset.filter(actor_id=int(chosen)) if is_id else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "actor_label", "action_badge", "resource", "reason", "ip")
    list_filter = (ActionFilter, StaffFilter, ("at", DateRangeFilter))
    search_fields = ("resource_id",)
    search_help_text = "Id of what was acted on, or of the request"
    ordering = ("-at",)
    empty_hint = (
        "What staff change is kept here, with who, when and why. The first gift, edit or export makes the first entry."
    )
    link_lookups = ("resource_type__exact", "resource_id__exact")
    sortable_by = ("when",)
    fields = (
        "seq",
        "when",
        "actor_label",
        "action",
        "resource",
        "reason",
        "changes",
        "ip",
        "user_agent",
        "request_id",
        "prev_hash",
        "hash",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(resource_id=term) | Q(Q(request_id=term) & ~Q(request_id=""))), False

    @admin.display(description="When", ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return display.moment(entry.at)

    @admin.display(description="Action")
    def action_badge(self, entry: AuditEntry) -> str:
        return display.badge(entry.action, "info")

    @admin.display(description="Resource")
    def resource(self, entry: AuditEntry) -> str:
        return entry.resource_label or entry.resource_type

    @admin.display(description="Changes")
    def changes(self, entry: AuditEntry) -> str:
        return display.diff(entry.old_values, entry.new_values)
