"""Where lists send what their readers choose: columns, saved filters, and what a list opens with.

An address names the list by its model, such as ``accounts.customer``; who may not see the list may not choose for it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, IGNORED_PARAMS, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import services
from accounts.errors import PreferenceRefused, UnknownFilter
from accounts.models.preferences import NAME_LENGTH, QUERY_LENGTH
from backoffice.lib.admin.base import BackofficeModelAdmin
from backoffice.lib.admin.memory import canonical, key_of

View = Callable[..., HttpResponse]


class FilterForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH)
    is_shared = forms.BooleanField(required=False)


class QueryForm(forms.Form):
    query = forms.CharField(max_length=QUERY_LENGTH, required=False)


def _of_a_list(view: View) -> View:
    """Give ``view`` the admin of the list that the address names, if it remembers and the reader may see it."""

    @require_POST
    @wraps(view)
    def wrapped(request: HttpRequest, list_key: str, **kwargs: Any) -> HttpResponse:
        try:
            model_admin = admin.site.get_model_admin(apps.get_model(list_key))
        except (LookupError, ValueError, admin.exceptions.NotRegistered) as error:
            raise Http404("There is no such list.") from error
        if not (isinstance(model_admin, BackofficeModelAdmin) and model_admin.remembers):
            raise Http404("This list remembers nothing.")
        if not model_admin.has_view_or_change_permission(request):
            raise PermissionDenied
        return view(request, model_admin, **kwargs)

    return admin.site.admin_view(wrapped)


@_of_a_list
def columns(request: HttpRequest, model_admin: BackofficeModelAdmin) -> HttpResponse:
    """Show the chosen columns from now on; ``reset`` shows those that everybody sees."""
    known = {key_of(column) for column in model_admin.get_available_columns(request)}
    chosen = [key for key in request.POST.getlist("columns") if key in known]
    services.choose_columns(
        actor=request.user,
        list_key=model_admin.opts.label_lower,
        columns=None if "reset" in request.POST else chosen,
    )
    return _to_list(model_admin, _given_query(request))


@_of_a_list
def filters(request: HttpRequest, model_admin: BackofficeModelAdmin) -> HttpResponse:
    """Save what the list shows under a name."""
    query = canonical(_given_query(request))
    form = FilterForm(request.POST)
    if fault := _fault(form) or _fault_of_query(request, model_admin, query):
        return _refused(request, model_admin, query, fault)
    try:
        saved = services.save_filter(
            actor=request.user, list_key=model_admin.opts.label_lower, query=query, **form.cleaned_data
        )
    except PreferenceRefused as error:
        return _refused(request, model_admin, query, str(error))
    messages.success(request, f"Saved as “{saved.name}”.")
    return _to_list(model_admin, query)


@_of_a_list
def one_filter(request: HttpRequest, model_admin: BackofficeModelAdmin, filter_id: int) -> HttpResponse:
    """Change, delete, or begin with a saved filter, by the button that was pressed."""
    query = canonical(_given_query(request))
    act = _ACTS.get(request.POST.get("act", ""), _change)
    try:
        message = act(request, model_admin.opts.label_lower, filter_id)
    except UnknownFilter as error:
        raise Http404(str(error)) from error
    except (PreferenceRefused, forms.ValidationError) as error:
        return _refused(request, model_admin, query, getattr(error, "message", str(error)))
    messages.success(request, message)
    return _to_list(model_admin, query)


def _change(request: HttpRequest, list_key: str, filter_id: int) -> str:
    form = FilterForm(request.POST)
    if fault := _fault(form):
        raise forms.ValidationError(fault)
    saved = services.change_filter(actor=request.user, list_key=list_key, filter_id=filter_id, **form.cleaned_data)
    return f"Changed “{saved.name}”."


def _delete(request: HttpRequest, list_key: str, filter_id: int) -> str:
    return f"Deleted “{services.delete_filter(actor=request.user, list_key=list_key, filter_id=filter_id)}”."


def _first(request: HttpRequest, list_key: str, filter_id: int) -> str:
    services.choose_first_filter(actor=request.user, list_key=list_key, filter_id=filter_id)
    return "The list opens with this from now on."


def _not_first(request: HttpRequest, list_key: str, filter_id: int) -> str:
    services.choose_first_filter(actor=request.user, list_key=list_key, filter_id=None)
    return "The list opens whole from now on."


_ACTS: dict[str, Callable[[HttpRequest, str, int], str]] = {
    "delete": _delete,
    "first": _first,
    "not-first": _not_first,
}


def _given_query(request: HttpRequest) -> str:
    form = QueryForm(request.POST)
    # A query that cannot be kept is none: it came from no page of ours.
    return str(form.cleaned_data["query"]) if form.is_valid() else ""


def _fault(form: FilterForm) -> str:
    """The first thing wrong with what was filled in."""
    return next((f"{field.replace('_', ' ').capitalize()}: {found[0]}" for field, found in form.errors.items()), "")


def _fault_of_query(request: HttpRequest, model_admin: BackofficeModelAdmin, query: str) -> str:
    """What keeps a query from being saved: it narrows nothing, or asks for what is no filter of the list."""
    if not query:
        return "Nothing narrows or orders the list: there is nothing to save."
    try:
        for name, value in parse_qsl(query):
            if name not in (*IGNORED_PARAMS, SEARCH_VAR):
                model_admin.lookup_allowed(name, value, request)
    except IncorrectLookupParameters as error:
        return str(error)
    return ""


def _refused(request: HttpRequest, model_admin: BackofficeModelAdmin, query: str, fault: str) -> HttpResponse:
    messages.error(request, fault)
    return _to_list(model_admin, query)


def _to_list(model_admin: BackofficeModelAdmin, query: str) -> HttpResponse:
    address = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
    return redirect(f"{address}?{query or f'{ALL_VAR}='}")
