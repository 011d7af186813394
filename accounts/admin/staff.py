"""Who works here and what they may do. Only super admins change either, or anybody could promote themselves."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse

from accounts.admin import staff_access
from accounts.badges import status_badge
from accounts.models import StaffMember, Status
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display, step_up


class SuperAdminOnly:
    """Changes need a super admin; reading needs the ordinary permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


class StaffCreationForm(AdminUserCreationForm):
    class Meta:
        model = StaffMember
        fields = ("email", "full_name")

    def save(self, commit: bool = True) -> StaffMember:
        self.instance.is_staff = True
        return super().save(commit=commit)


class NotOneself:
    """A form of a member of staff by which the reader, a super admin, cannot take their own rights away."""

    reader: Any

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk == self.reader.pk:
            if cleaned.get("status", Status.ACTIVE) != Status.ACTIVE:
                self.add_error("status", "Ask another super admin: you would shut yourself out.")
            if not cleaned.get("is_superuser", True):
                self.add_error("is_superuser", "Ask another super admin: you would shut yourself out.")
        if cleaned.get("status", Status.ACTIVE) != Status.ACTIVE and not cleaned.get("status_reason"):
            self.add_error("status_reason", "Say why.")
        return cleaned


@admin.register(StaffMember)
class StaffMemberAdmin(step_up.StepUpToChange, SuperAdminOnly, AuditedModelAdmin, UserAdmin):
    list_display = ("email", "full_name", "roles", "is_superuser", "last_login_at", "status_badge")
    list_filter = ("is_superuser", "status")
    search_fields = ("email", "full_name")
    ordering = ("email",)
    filter_horizontal = ("groups",)
    add_form = StaffCreationForm
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        ("Access", {"fields": ("status", "status_reason", "is_superuser", "groups")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "usable_password", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")

    def has_delete_permission(self, request: HttpRequest, obj: StaffMember | None = None) -> bool:
        return False  # The audit log names them for ever: suspend instead.

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_urls(self) -> list[URLPattern]:
        return [*staff_access.urls(), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        log = reverse("admin:audit_auditentry_changelist")
        may_see_log = request.user.has_perm("audit.view_auditentry")
        extra = {
            "is_colleague": request.user.is_superuser and object_id != str(request.user.pk),
            "acts_url": f"{log}?{urlencode({'staff': object_id})}" if may_see_log else "",
        }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if self.has_change_permission(request) and not step_up.is_fresh(request):
            return step_up.ask(request)
        # Django changes the password outside a transaction, which the audit entry must share.
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def get_form(self, request: HttpRequest, obj: StaffMember | None = None, **kwargs: Any) -> type[ModelForm]:
        form = super().get_form(request, obj, **kwargs)
        # Nobody shuts themselves out: the last super admin could not be let in again.
        return type(form.__name__, (NotOneself, form), {"reader": request.user}) if obj else form

    @admin.display(description="Roles")
    def roles(self, member: StaffMember) -> str:
        return ", ".join(group.name for group in member.groups.all())

    @admin.display(description="Last login")
    def last_login_at(self, member: StaffMember) -> str:
        return display.moment(member.last_login)

    @admin.display(description="Status")
    def status_badge(self, member: StaffMember) -> str:
        return status_badge(member.status)


admin.site.unregister(Group)
# Allauth's own pages: the one would show secrets, the other addresses that nobody uses.
admin.site.unregister([Authenticator, EmailAddress])


@admin.register(Group)
class RoleAdmin(step_up.StepUpToChange, SuperAdminOnly, AuditedModelAdmin, GroupAdmin):
    """Groups are the roles of the house."""

    empty_hint = "A role is what some of the staff may do. Add one, then give it to people on the page of each."
