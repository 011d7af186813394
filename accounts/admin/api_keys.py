"""API keys as staff see them: which there are, a new one shown once, one ended."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.views.decorators.debug import sensitive_variables

from accounts import selectors
from accounts.errors import KeyRefused, KeyRevoked
from accounts.models import ApiKey, Scope, StaffMember
from accounts.services import create_api_key, revoke_api_key
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display, step_up
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.confirm import Change, ConfirmFormView
from backoffice.lib.admin.filters import DateRangeFilter


class ApiKeyForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Which program uses it, such as Billing export.")
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)
    staff = forms.ModelChoiceField(
        StaffMember.objects.filter(status="active").order_by("email"),
        required=False,
        label="Member of staff",
        help_text="In whose name, and within whose permissions, a key with read or admin acts.",
    )

    def __init__(self, *args: Any, reader: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.reader = reader

    def clean_scopes(self) -> list[str]:
        scopes: list[str] = self.cleaned_data["scopes"]
        # The product charges and refunds whom it likes: no role has that, and nobody's limits hold for it.
        if Scope.INGEST in scopes and not self.reader.is_superuser:
            raise forms.ValidationError("Only a super admin makes keys of the product.")
        return scopes

    def clean_staff(self) -> StaffMember | None:
        member = self.cleaned_data["staff"]
        # A key in another's name is that person's rights: only who has all rights anyway may hand them out.
        if member and member.pk != self.reader.pk and not self.reader.is_superuser:
            raise forms.ValidationError("Only a super admin makes keys in the name of somebody else.")
        return member


class RevokeForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the audit log."
    )


class RevokeView(ConfirmFormView):
    permission_required = "accounts.revoke_apikey"
    form_class = RevokeForm
    title = "Revoke API key"
    submit_label = "Revoke"
    is_dangerous = True
    navigation_key = "api-keys"
    domain_errors = (KeyRevoked,)
    help_text = "Whatever uses the key is refused from then on. This cannot be undone; make a new key instead."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> ApiKey:
        key = selectors.key_list().filter(pk=kwargs["key_id"]).first()
        if key is None:
            raise Http404("There is no such key.")
        return key

    def effect(self, subject: ApiKey, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if subject.revoked_at is not None:
            raise KeyRevoked
        return [Change("State", state_badge(subject), display.badge("Revoked", "bad"))]

    def perform(self, request: HttpRequest, subject: ApiKey, cleaned_data: dict[str, Any], token: str) -> str:
        key = revoke_api_key(key_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        return f"{key.name} is revoked."

    def success_url(self, subject: ApiKey) -> str:
        return reverse("admin:accounts_apikey_changelist")


def state_badge(key: ApiKey) -> str:
    """Whether the key is let in: live, dead with its member of staff, or revoked."""
    if key.revoked_at is not None:
        return display.badge("Revoked", "bad")
    if key.staff and not (key.staff.is_staff and key.staff.is_active):
        return display.badge("Its member is shut out", "warn")
    return display.badge("Live", "ok")


@admin.register(ApiKey)
class ApiKeyAdmin(EvidenceAdmin, AuditedModelAdmin):
    list_display = ("name", "begins", "scopes_shown", "member", "made", "last_used", "state_shown")
    list_filter = (("created_at", DateRangeFilter),)
    search_fields = ("name", "prefix")
    search_help_text = "Name, or how the key begins"
    ordering = ("-created_at",)
    sortable_by = ()
    fields = ("name", "begins", "scopes_shown", "member", "state_shown", "last_used", "made", "by", "revoked")
    empty_hint = "A key lets a program use the API: your product, or a script of a member of staff."
    has_history = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_apikey")

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(RevokeView.as_view())
        return [path("<int:key_id>/revoke/", revoke, name="accounts_apikey_revoke"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return selectors.key_list()

    @sensitive_variables()
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        # A key outlives the session by which it was made.
        if not step_up.is_fresh(request):
            return step_up.ask(request)
        form = ApiKeyForm(request.POST or None, reader=request.user)
        if request.method == "POST" and form.is_valid():
            try:
                made = create_api_key(**form.cleaned_data, actor=request.user)
            except KeyRefused as error:
                form.add_error(None, str(error))
            else:
                return self._page(request, "admin/accounts/apikey/made.html", key=made.key, secret=made.secret)
        return self._page(request, "admin/accounts/apikey/add_form.html", form=form)

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        title = "API key" if "secret" in context else "Add API key"
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, template, shared | context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        key = self.get_object(request, object_id)
        may_revoke = key and key.revoked_at is None and request.user.has_perm(RevokeView.permission_required)
        extra = {"revoke_url": reverse("admin:accounts_apikey_revoke", args=[key.pk]) if may_revoke else ""}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @admin.display(description="Begins with")
    def begins(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description="Scopes")
    def scopes_shown(self, key: ApiKey) -> str:
        return format_html_join(" ", "{}", ((display.badge(scope, "info"),) for scope in key.scopes))

    @admin.display(description="Acts for")
    def member(self, key: ApiKey) -> Any:
        return key.staff or "the product"

    @admin.display(description="Last used")
    def last_used(self, key: ApiKey) -> str:
        return display.moment(key.last_used_at)

    @admin.display(description="State")
    def state_shown(self, key: ApiKey) -> str:
        return state_badge(key)

    @admin.display(description="Made")
    def made(self, key: ApiKey) -> str:
        return display.moment(key.created_at)

    @admin.display(description="By")
    def by(self, key: ApiKey) -> Any:
        return key.created_by or "somebody at the server's shell"

    @admin.display(description="Revoked")
    def revoked(self, key: ApiKey) -> str:
        return display.moment(key.revoked_at)
