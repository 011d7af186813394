"""The audit log as staff read it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from audit import actions, resource_links, selectors
from audit.admin.filters import ActionFilter, ResourceTypeFilter, StaffFilter, type_label
from audit.exportlists import ExportMixin
from audit.models import AuditEntry
from audit.resource_links import Resource
from backoffice.lib.admin import diffs, display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.changelist import KeysetChangeList
from backoffice.lib.admin.filters import DateRangeFilter, ExactTextFilter

LIST = "admin:audit_auditentry_changelist"


class EntryChangeList(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Each row with the address of what it is about: one query for all of a type."""
        super().get_results(request)
        wanted = {_resource(entry) for entry in self.result_list}
        addresses = resource_links.addresses_of(request, wanted)
        for entry in self.result_list:
            entry.resource_url = addresses.get(_resource(entry), "")


@admin.register(AuditEntry)
class AuditEntryAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "action_shown", "staff", "resource", "summary", "reason", "address")
    list_filter = (
        ActionFilter,
        StaffFilter,
        ResourceTypeFilter,
        ("at", DateRangeFilter),
        ("resource_id", ExactTextFilter),
        ("request_id", ExactTextFilter),
    )
    search_fields = ("resource_id",)
    search_help_text = "Whole email or id of whom or what was acted on, or id of the request"
    ordering = ("-at",)
    empty_hint = (
        "What staff change is kept here, with who, when and why. The first gift, edit or export makes the first entry."
    )
    sortable_by = ("when",)
    fieldsets = (
        (None, {"fields": ("when", "who", "action_shown", "about", "reason")}),
        ("Changes", {"fields": ("changes",)}),
        ("Where from", {"fields": ("address", "user_agent", "request")}),
        ("Seal", {"fields": ("seq", "hash", "prev_hash")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return EntryChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if "@" in term:
            # The log itself holds no address: it would outlive whoever asks to be forgotten.
            people = get_user_model().objects.alias(lower=Lower("email")).filter(lower=Lower(Value(term)))
            if not request.user.has_perm("accounts.view_customer"):
                people = people.filter(is_staff=True)
            ids = [str(pk) for pk in people.values_list("pk", flat=True)]
            return queryset.filter(resource_type=get_user_model()._meta.label_lower, resource_id__in=ids), False
        return queryset.filter(Q(resource_id=term) | Q(Q(request_id=term) & ~Q(request_id=""))), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        proof = selectors.last_proof()
        broken = proof if proof and proof.fault else None
        return super().changelist_view(request, {"broken_proof": broken, **(extra_context or {})})

    def get_fieldsets(self, request: HttpRequest, obj: AuditEntry | None = None) -> Any:
        """With where what it names can be seen, as far as the reader may see it."""
        if obj is not None:
            named = resource_links.resources_in(obj)
            actor = ("accounts.user", str(obj.actor_id or ""))
            addresses = resource_links.addresses_of(request, {_resource(obj), actor, *named.values()})
            obj.resource_url = addresses.get(_resource(obj), "")
            obj.actor_url = addresses.get(actor, "")
            obj.value_urls = {name: addresses[found] for name, found in named.items() if found in addresses}
        return super().get_fieldsets(request, obj)

    @admin.display(description="When", ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return display.moment(entry.at)

    @admin.display(description="Staff")
    def staff(self, entry: AuditEntry) -> str:
        return entry.actor_label

    @admin.display(description="Action")
    def action_shown(self, entry: AuditEntry) -> str:
        return format_html(
            '{}<span class="secondary">{}</span>', display.badge(actions.label_of(entry.action), "info"), entry.action
        )

    @admin.display(description="Resource")
    def resource(self, entry: AuditEntry) -> str:
        return display.link(entry.resource_url, entry.resource_label or type_label(entry.resource_type))

    @admin.display(description="Resource")
    def about(self, entry: AuditEntry) -> str:
        same = {"resource_type__exact": entry.resource_type, "resource_id__exact": entry.resource_id}
        return _lines(self.resource(entry), _list_of("Everything about it", **same) if entry.resource_id else "")

    @admin.display(description="Change")
    def summary(self, entry: AuditEntry) -> str:
        return diffs.summary(entry.old_values, entry.new_values)

    @admin.display(description="Staff")
    def who(self, entry: AuditEntry) -> str:
        return _lines(
            display.link(entry.actor_url, entry.actor_label),
            _list_of("Everything they did", staff=entry.actor_id) if entry.actor_id else "",
        )

    @admin.display(description="Changes")
    def changes(self, entry: AuditEntry) -> str:
        return diffs.diff(entry.old_values, entry.new_values, entry.value_urls)

    @admin.display(description="Address")
    def address(self, entry: AuditEntry) -> str:
        return entry.ip or display.absent()

    @admin.display(description="Request")
    def request(self, entry: AuditEntry) -> str:
        if not entry.request_id:
            return display.absent()
        return _lines(
            display.copyable(entry.request_id),
            _list_of("Everything in this request", request_id__exact=entry.request_id),
        )


def _resource(entry: AuditEntry) -> Resource:
    return entry.resource_type, entry.resource_id


def _list_of(text: str, **narrowed: Any) -> str:
    return display.link(f"{reverse(LIST)}?{urlencode(narrowed)}", text)


def _lines(*lines: str) -> str:
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines if line))
