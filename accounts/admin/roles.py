"""Roles: what some of the staff may do, and who they are."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseFormSet, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts import permission_names
from accounts.admin.role_form import RoleForm
from accounts.admin.super_admins import SuperAdminOnly
from accounts.models import Role, StaffMember
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display, step_up
from backoffice.lib.registry import role_bounds

SHOWN_MEMBERS = 100

admin.site.unregister(Group)


@admin.register(Role)
class RoleAdmin(step_up.StepUpToChange, SuperAdminOnly, AuditedModelAdmin):
    list_display = ("name", "members_number", "permissions_number")
    ordering = ("name",)
    search_fields = ("name",)
    sortable_by = ("name",)
    form = RoleForm
    fields = ("name", "members", "limits", "permissions")
    readonly_fields = ("members", "limits")
    empty_hint = "A role is what some of the staff may do. Add one, then give it to people on the page of each."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        # Two counts by subqueries: joined, each would multiply the other.
        return Role.objects.annotate(
            number_of_members=_count(StaffMember.groups.through.objects.filter(group_id=OuterRef("pk"))),
            number_of_permissions=_count(Group.permissions.through.objects.filter(group_id=OuterRef("pk"))),
        )

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> Any:
        return self.fields if obj else ("name", "permissions")

    def construct_change_message(
        self, request: HttpRequest, form: ModelForm, formsets: list[BaseFormSet] | None, add: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the role may do from now on, and no more, by name."""
        old, new = super().construct_change_message(request, form, formsets, add)
        if "permissions" in new:
            old.pop("permissions", None)
            del new["permissions"]
            before = set(map(permission_names.name_of, form.initial.get("permissions", ())))
            after = set(map(permission_names.name_of, form.cleaned_data["permissions"]))
            changes = {"added": sorted(after - before), "removed": sorted(before - after)}
            new |= {verb: names for verb, names in changes.items() if names}
        return old, new

    def log_addition(self, request: HttpRequest, obj: Role, message: Any) -> None:
        super().log_addition(request, obj, message)
        _warn(request, obj)

    def log_change(self, request: HttpRequest, obj: Role, message: Any) -> None:
        super().log_change(request, obj, message)
        for verb in ("added", "removed"):
            if names := message[1].get(verb):
                messages.info(request, f"{verb.capitalize()}: {', '.join(names)}.")
        if message[1].get("added"):
            _warn(request, obj)

    def deleted_values(self, obj: Role) -> dict[str, Any]:
        """With what it allowed, and to whom."""
        return {
            **super().deleted_values(obj),
            "permissions": sorted(map(permission_names.name_of, obj.permissions.select_related("content_type"))),
            "members": list(StaffMember.objects.filter(groups=obj).order_by("pk").values_list("pk", flat=True)),
        }

    @admin.display(description="Members")
    def members_number(self, role: Role) -> str:
        return display.number(role.number_of_members)

    @admin.display(description="Permissions")
    def permissions_number(self, role: Role) -> str:
        return display.number(role.number_of_permissions)

    @admin.display(description="Who has it")
    def members(self, role: Role) -> str:
        found = StaffMember.objects.filter(groups=role).order_by("email")[: SHOWN_MEMBERS + 1]
        lines = format_html_join("", "<div>{}</div>", ((_member(member),) for member in found[:SHOWN_MEMBERS]))
        more = format_html("<div>and {} more</div>", role.number_of_members - SHOWN_MEMBERS)
        return format_html("{}{}", lines, more if len(found) > SHOWN_MEMBERS else "") if lines else "Nobody yet."

    @admin.display(description="By itself")
    def limits(self, role: Role) -> str:
        return format_html_join("", "{}", ((bounds.shown(role.pk),) for bounds in role_bounds)) or display.absent()


def _warn(request: HttpRequest, role: Role) -> None:
    """Of what a role may now do without bounds: rights are given on one page, limits on another."""
    for bounds in role_bounds:
        if caution := bounds.caution(role.pk):
            messages.warning(request, caution)


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("group_id").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def _member(member: StaffMember) -> str:
    return display.link(reverse("admin:accounts_staffmember_change", args=[member.pk]), member.email)
