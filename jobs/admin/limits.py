"""How much each role may give away by itself."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display
from backoffice.lib.admin.step_up import StepUpToChange
from backoffice.lib.money import plain_credits
from backoffice.lib.work import limited_verbs
from jobs.models import RoleLimit


class RoleLimitForm(forms.ModelForm):
    verb = forms.ChoiceField(label="Act")

    class Meta:
        model = RoleLimit
        fields = ("group", "verb", "per_act", "per_day")
        labels = {"group": "Role", "per_act": "At most in one act", "per_day": "At most in a day"}
        help_texts = {
            "per_act": "Empty: as much as they like. Above it, a second person has to allow the act.",
            "per_day": "All acts of one person since midnight, in the time zone of reports. Empty: no bound.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verb"].choices = [(verb.key, f"{verb.label} ({verb.unit})") for verb in limited_verbs]
        for name in ("per_act", "per_day"):
            if (kept := self.initial.get(name)) is not None:
                self.initial[name] = Decimal(plain_credits(kept))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and given.get("per_act") is None and given.get("per_day") is None:
            raise forms.ValidationError("Give one of the two: a limit without a number bounds nothing.")
        return given


@admin.register(RoleLimit)
class RoleLimitAdmin(StepUpToChange, AuditedModelAdmin):
    form = RoleLimitForm
    list_display = ("group", "act", "in_one_act", "in_a_day")
    ordering = ("pk",)
    sortable_by = ()
    empty_hint = "Without limits, a role gives as much as its permissions allow. Add one, and what is above it waits."

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "group":
            # Roles have a page of their own; the stock buttons beside the choice would lead away from this one.
            for name in ("can_add_related", "can_change_related", "can_view_related", "can_delete_related"):
                setattr(field.widget, name, False)
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoleLimit]:
        return super().get_queryset(request).select_related("group")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser  # Or whoever has a limit could lift it.

    def has_change_permission(self, request: HttpRequest, obj: RoleLimit | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: RoleLimit | None = None) -> bool:
        return request.user.is_superuser

    @admin.display(description="Act")
    def act(self, limit: RoleLimit) -> str:
        verb = limited_verbs.get(limit.verb)
        return verb.label if verb else limit.verb

    @admin.display(description="In one act", ordering="per_act")
    def in_one_act(self, limit: RoleLimit) -> Any:
        return self._amount(limit, limit.per_act)

    @admin.display(description="In a day", ordering="per_day")
    def in_a_day(self, limit: RoleLimit) -> Any:
        return self._amount(limit, limit.per_day)

    def _amount(self, limit: RoleLimit, amount: Any) -> Any:
        verb = limited_verbs.get(limit.verb)
        if amount is None:
            return "no bound"
        return verb.format(amount) if verb else display.credits(amount)
