"""Bulk acts as actions of a list: each goes on to a form that shows its effect, and becomes a job."""

from functools import partial
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from backoffice.lib.work import BulkAction, bulk_actions, desk

# Ids of this length fit the column.
LONGEST_ID = 18


class ChosenRowsMixin:
    """Lets through only what can be chosen in a list; the stock code hands whatever was sent to the database."""

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if not all(_is_id(chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("What was chosen is no row of the list.")
        answer: HttpResponse | None = super().response_action(request, queryset)  # type: ignore[misc]
        return answer


class BulkActionsMixin(ChosenRowsMixin):
    """Offers in the list's actions what the apps registered, as far as the reader may do it."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        if desk.open is None or IS_POPUP_VAR in request.GET:
            return actions
        allowed = (entry for entry in bulk_actions if request.user.has_perm(entry.permission))
        return actions | {entry.key: (_opening(entry), entry.key, entry.label) for entry in allowed}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_ID


def _opening(entry: BulkAction) -> Any:
    begin = partial(_begin, entry)
    # As the stock actions tell of theirs; it was asked for already, and is again when the job is drafted.
    begin.allowed_permissions = (entry.permission,)  # type: ignore[attr-defined]
    return begin


def _begin(action: BulkAction, model_admin: Any, request: HttpRequest, targets: QuerySet[Any]) -> HttpResponse | None:
    return desk.open(request, action, targets) if desk.open else None
