"""What every admin page of the house shares. What changes anything is audited by the class that extends this one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.functional import cached_property

from backoffice.lib.admin import widgets
from backoffice.lib.admin.changelist import EXACT_COUNT_LIMIT, KeysetChangeList
from backoffice.lib.admin.memory import is_shown_at_first, key_of, remembered

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _Paginator = Paginator

NOT_UNDERSTOOD = "The address asked for a filter or a value that this list does not know, so nothing is filtered."
SCRIPTS = (
    "admin/js/vendor/jquery/jquery.min.js",
    "admin/js/jquery.init.js",
    "admin/js/core.js",
    "admin/js/admin/RelatedObjectLookups.js",
    "admin/js/actions.js",
)


class BoundedPaginator(_Paginator):
    """Counts no further than the lists do; for what pages by number, such as the choices of an autocomplete."""

    @cached_property
    def count(self) -> int:
        bounded = cast("QuerySet[Any]", self.object_list[:EXACT_COUNT_LIMIT])
        return bounded.count()


class BackofficeModelAdmin(_ModelAdmin):
    """Presentation only.

    ``ordering`` names one NOT NULL column; ``keyset_tiebreak`` the path of a unique column that an index pairs with
    each sort column, when that is not the model's own key; ``keyset_tiebreaks`` those of columns in other tables.
    """

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    keyset_tiebreak = "pk"
    keyset_tiebreaks: Mapping[str, str] = {}
    empty_value_display = "—"
    # Lookups that links of ours bring along in the address, beside those of the filters.
    link_lookups: tuple[str, ...] = ()
    # Whether the page of a record leads to what the audit log knows of it.
    has_history = True
    # Whether readers may choose columns and save filters, and which columns are not shown until they are chosen.
    remembers = False
    optional_columns: tuple[str, ...] = ()
    # What an empty list will hold and what to do about it: a sentence each.
    empty_hint = ""
    formfield_overrides = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": widgets.DateTimeInput},
        models.DateField: {"widget": widgets.DateInput},
        models.TimeField: {"widget": widgets.TimeInput},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        # The stock history page knows the stock log, which nothing is written to.
        return urls if self.has_history else [url for url in urls if not (url.name or "").endswith("_history")]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Not found is not found. The stock admin leads home, with a word on it that may belong to another page."""
        raise Http404(f"There is no {opts.verbose_name} {object_id} here.")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what a filter or a link of ours asks for.

        The stock rule lets every column be probed by address, a password hash letter by letter included.
        """
        if lookup in self.link_lookups or any(lookup in _lookups_of(spec) for spec in self.get_list_filter(request)):
            return True
        # The stock page answers this with the list and a word that something was wrong.
        raise IncorrectLookupParameters(f"{lookup} is no filter of this list")

    @property
    def media(self) -> forms.Media:
        """The stock scripts, without those that only prepopulated fields need: they outweigh all the others."""
        return super().media if self.prepopulated_fields else forms.Media(js=SCRIPTS)

    def get_action_choices(
        self, request: HttpRequest, default_choices: list[tuple[str, str]] | None = None
    ) -> list[tuple[str, str]]:
        return super().get_action_choices(request, default_choices or [("", "Choose an action")])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # Labels stand in a column of their own and need no colon.
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        for form in [context["adminform"].form, *(form for formset in formsets for form in formset.forms)]:
            form.label_suffix = ""
        context["has_history"] = self.has_history and request.user.has_perm("audit.view_auditentry")
        return super().render_change_form(request, context, *args, **kwargs)

    def get_available_columns(self, request: HttpRequest) -> Sequence[Any]:
        """All columns that this reader may see, those included that are not shown until they are chosen."""
        return [*super().get_list_display(request), *self.optional_columns]

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns that the reader chose, else those that are shown to everybody, in the order of the list."""
        if not self.remembers:
            return super().get_list_display(request)
        available = self.get_available_columns(request)
        chosen = remembered(request, self.opts.label_lower).columns
        if chosen is None:
            return [name for name in available if is_shown_at_first(name) and name not in self.optional_columns]
        kept = {*chosen, *map(key_of, self.get_fixed_columns(available))}
        return [name for name in available if key_of(name) in kept]

    def get_fixed_columns(self, available: Sequence[Any]) -> Sequence[Any]:
        """The columns that lead to the record, without which a list would lead nowhere."""
        return self.list_display_links or available[:1]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; its bare address opens what the reader chose to begin with."""
        if self.remembers and request.method == "GET" and not request.META.get("QUERY_STRING"):
            first = remembered(request, self.opts.label_lower).first_filter
            if first and self.has_view_or_change_permission(request):
                return redirect(f"{request.path}?{first.query}")
        if ERROR_FLAG in request.GET:
            messages.warning(request, NOT_UNDERSTOOD)
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList


def _lookups_of(spec: Any) -> set[str]:
    """The parameters that a filter of ``list_filter`` reads."""
    if hasattr(spec, "parameter_name"):
        return {str(spec.parameter_name)}
    field = spec[0] if isinstance(spec, (tuple, list)) else spec
    return {f"{field}__exact", f"{field}__isnull", f"{field}__id__exact", f"{field}_from", f"{field}_to"}


class EvidenceAdmin(BackofficeModelAdmin):
    """Rows that are read and never touched: the change page is a detail page."""

    has_history = False
    # Fields of the detail page that stand there only if the row has something under the name beside them.
    shown_if: Mapping[str, str] = {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [
            (title, {**options, "fields": self._with_something(options["fields"], obj)}) for title, options in fieldsets
        ]

    def _with_something(self, names: Sequence[Any], obj: Any) -> list[Any]:
        return [name for name in names if obj is None or name not in self.shown_if or getattr(obj, self.shown_if[name])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Evidence is written by the service that makes the fact.

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # A correction is a new entry; the database refuses the change too.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # What happened has happened.
