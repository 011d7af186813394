"""Who works here, and which roles they have."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.crypto import get_random_string

from accounts.admin import staff_access
from accounts.admin.super_admins import SuperAdminOnly
from accounts.badges import status_badge
from accounts.login import notices
from accounts.models import StaffMember, Status
from accounts.tasks import mail_invitation
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display, step_up
from backoffice.lib.nudge import nudge

# The names of the choices are the stock form's, whose script hides the fields that a choice does not need.
BY_MAIL, SET_NOW = "false", "true"
UNKNOWN_PASSWORD_LENGTH = 64


class StaffCreationForm(AdminUserCreationForm):
    """A new colleague, their roles, and how they get their first password."""

    usable_password = forms.ChoiceField(
        label="How",
        choices={BY_MAIL: "Mail them a link to choose one", SET_NOW: "Set one now"},
        initial=BY_MAIL,
        widget=forms.RadioSelect(attrs={"class": "radiolist inline"}),
    )

    class Meta:
        model = StaffMember
        fields = ("email", "full_name", "is_superuser", "groups")

    def clean_usable_password(self) -> str:
        chosen = self.cleaned_data["usable_password"]
        if chosen == BY_MAIL and not settings.EMAIL_URL:
            raise forms.ValidationError("No mail is sent from here (EMAIL_URL is not set): set a password now.")
        return chosen

    def save(self, commit: bool = True) -> StaffMember:
        self.instance.is_staff = True
        return super().save(commit=commit)

    def set_password_and_save(self, user: StaffMember, commit: bool = True, **kwargs: Any) -> StaffMember:
        if self.cleaned_data["set_usable_password"]:
            return super().set_password_and_save(user, commit=commit, **kwargs)
        # One that nobody knows: without any, no link to a new one would be mailed.
        user.set_password(get_random_string(UNKNOWN_PASSWORD_LENGTH))
        if commit:
            user.save()
        return user


class NotOneself:
    """A form of a member of staff by which the reader, a super admin, cannot take their own rights away."""

    reader: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if password := self.fields.get("password"):
            password.help_text = "Nobody can read it, here or in the database: set a new one instead."

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
    list_display = ("email", "full_name", "roles", "last_login_at", "status_badge")
    list_filter = ("is_superuser", "status")
    search_fields = ("email", "full_name")
    ordering = ("email",)
    add_form = StaffCreationForm
    add_form_template = "admin/accounts/staffmember/add_form.html"
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        ("Access", {"fields": ("status", "status_reason", "is_superuser", "groups")}),
        ("Times", {"fields": ("last_login_at", "joined_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "full_name")}),
        ("Access", {"fields": ("is_superuser", "groups")}),
        ("First password", {"fields": ("usable_password", "password1", "password2")}),
    )
    readonly_fields = ("last_login_at", "joined_at")

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

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "is_superuser":
            field.label = "Super admin"
            field.help_text = "May do everything, and nobody else changes staff and roles. Needs no role."
        return field

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = forms.CheckboxSelectMultiple
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.label, field.help_text = "Roles", "What this person may do. The page of a role says what that is."
        return field

    def _lock(self, object_id: str) -> None:
        # All super admins, and always in one order: of two who take each other's rights at one moment, the second finds
        # that they are none any more, and somebody is left who can let others in.
        bosses = StaffMember.objects.select_for_update(no_key=True).filter(is_superuser=True).order_by("pk")
        list(bosses.values_list("pk"))
        super()._lock(object_id)

    def save_model(self, request: HttpRequest, obj: StaffMember, form: ModelForm, change: bool) -> None:
        if not StaffMember.objects.filter(pk=request.user.pk, is_superuser=True, status=Status.ACTIVE).exists():
            raise PermissionDenied
        super().save_model(request, obj, form, change)
        if not change and not form.cleaned_data["set_usable_password"]:
            nudge(mail_invitation, obj.pk, request.build_absolute_uri("/"))
            messages.info(request, f"A link to choose a password is on its way to {obj.email}.")

    def _value(self, name: str, value: Any) -> Any:
        """Roles by name, since a number says nothing once the role is gone."""
        return sorted(role.name for role in value or ()) if name == "groups" else super()._value(name, value)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if self.has_change_permission(request) and not step_up.is_fresh(request):
            return step_up.ask(request)
        # Django changes the password outside a transaction, which the audit entry must share.
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
        member = self.get_object(request, unquote(id)) if response.status_code == 302 else None
        if member is not None:
            notices.send(member, "the password was changed by a super admin")
        return response

    def get_form(self, request: HttpRequest, obj: StaffMember | None = None, **kwargs: Any) -> type[ModelForm]:
        form = super().get_form(request, obj, **kwargs)
        # Nobody shuts themselves out: the last super admin could not be let in again.
        return type(form.__name__, (NotOneself, form), {"reader": request.user}) if obj else form

    @admin.display(description="Roles")
    def roles(self, member: StaffMember) -> str:
        names = [group.name for group in member.groups.all()]
        return ", ".join(["Super admin", *names] if member.is_superuser else names)

    @admin.display(description="Last login")
    def last_login_at(self, member: StaffMember) -> str:
        return display.moment(member.last_login)

    @admin.display(description="Joined")
    def joined_at(self, member: StaffMember) -> str:
        return display.moment(member.date_joined)

    @admin.display(description="Status")
    def status_badge(self, member: StaffMember) -> str:
        return status_badge(member.status)


# Allauth's own pages: the one would show secrets, the other addresses that nobody uses.
admin.site.unregister([Authenticator, EmailAddress])
