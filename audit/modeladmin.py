"""The base of every admin that staff change records through: stock add, change and delete go into the audit log."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.contrib.admin.options import csrf_protect_m
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.forms import BaseFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from audit import selectors
from audit.actions import Action
from audit.services import WITHHELD, Resource, record
from backoffice.lib.admin.as_seen import AsSeenForm
from backoffice.lib.admin.base import BackofficeModelAdmin

SECRET_FIELDS = frozenset({"password", "password1", "password2", "usable_password"})
SHOWN_HISTORY = 200


class AuditedModelAdmin(BackofficeModelAdmin):
    """Writes the audit entry of stock add, change and delete, in the transaction of the change itself.

    ``personal_fields`` are those whose values stay out of the log.
    """

    personal_fields: frozenset[str] = frozenset()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        """The record; locked when a form is about to save it.

        The stock form saves every column, those that it does not show as they were read: a ban that came in between
        would be undone.
        """
        if request.method == "POST" and transaction.get_connection().in_atomic_block and from_field is None:
            self._lock(object_id)
        return super().get_object(request, object_id, from_field)

    def get_form(
        self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        """The form; that of a record keeps two people who have it open from undoing what the other saved."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (AsSeenForm, form), {}) if change else form

    def _lock(self, object_id: str) -> None:
        try:
            pk = self.opts.pk.to_python(object_id)
        except ValidationError:
            return
        list(self.model._base_manager.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))

    def construct_change_message(
        self, request: HttpRequest, form: ModelForm, formsets: list[BaseFormSet] | None, add: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Old and new values of what the form changed; the stock code hands them on to log_addition/log_change."""
        old = {} if add else {name: self._value(name, form.initial.get(name)) for name in form.changed_data}
        new = {name: self._value(name, form.cleaned_data.get(name)) for name in form.changed_data}
        for formset in formsets or ():
            new |= _formset_changes(formset)
        return old, new

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> None:
        old, new = message
        record(
            action=Action.RECORD_ADDED, actor=request.user, resource=Resource.of(obj), old_values=old, new_values=new
        )

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> None:
        old, new = message
        if new:
            record(
                action=Action.RECORD_CHANGED,
                actor=request.user,
                resource=Resource.of(obj),
                old_values=old,
                new_values=new,
            )

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> None:
        for obj in queryset:
            record(
                action=Action.RECORD_DELETED,
                actor=request.user,
                resource=Resource.of(obj),
                old_values=self.deleted_values(obj),
            )

    def deleted_values(self, obj: models.Model) -> dict[str, Any]:
        """What the log keeps of a record that is deleted: its columns. Override to add what goes with it."""
        return {field.attname: self._value(field.attname, field.value_from_object(obj)) for field in _columns(obj)}

    def _value(self, name: str, value: Any) -> Any:
        if name in SECRET_FIELDS or name in self.personal_fields:
            return WITHHELD
        return plain(value)

    @csrf_protect_m
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit log knows of this record, instead of the stock log."""
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not (self.has_view_or_change_permission(request, obj) and request.user.has_perm("audit.view_auditentry")):
            raise PermissionDenied
        resource = Resource.of(obj)
        entries = selectors.entries_about(resource_type=resource.type, resource_id=resource.id)[:SHOWN_HISTORY]
        context = self.admin_site.each_context(request) | {
            "title": "History",
            "opts": self.opts,
            "object": obj,
            "entries": entries,
        }
        return TemplateResponse(request, "audit/object_history.html", context | (extra_context or {}))


def plain(value: Any) -> Any:
    """A form's value as JSON can keep it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, models.QuerySet | list | tuple | set):
        return sorted((plain(item) for item in value), key=str)
    return str(value)


def _columns(obj: models.Model) -> "Iterable[models.Field[Any, Any]]":
    return obj._meta.concrete_fields


def _formset_changes(formset: BaseFormSet) -> dict[str, Any]:
    found = {
        "added": [str(obj.pk) for obj in formset.new_objects],
        "changed": [str(obj.pk) for obj, _ in formset.changed_objects],
        "deleted": [str(obj.pk) for obj in formset.deleted_objects],
    }
    changes = {verb: pks for verb, pks in found.items() if pks}
    return {formset.prefix: changes} if changes else {}
