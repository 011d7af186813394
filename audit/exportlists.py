"""The exports that a list page of the admin offers: of what is filtered, by POST."""

from typing import Any
from uuid import uuid4

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBadRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from audit.exporting import JOB_PREFIX, download, filtered
from audit.services import WITHHELD
from backoffice.lib.admin import step_up
from backoffice.lib.admin.confirm import valid_token
from backoffice.lib.exports import Export, exports_of
from backoffice.lib.work import desk

UNREADABLE = "The filters in the address cannot be read: start from the list."


class ExportMixin:
    """Adds a menu of the exports of the model to its list, and the addresses behind them."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        wrap = self.admin_site.admin_view
        return [
            path("export/<slug:key>/", wrap(self.export_view), name=name),
            path("export/<slug:key>/job/", wrap(self.export_job_view), name=f"{name}_job"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        extra = {
            "exports": [
                self._offered(export, request)
                for export in exports_of(self.model)
                if request.user.has_perm(export.permission)
            ]
        }
        return super().changelist_view(request, extra | (extra_context or {}))

    def _offered(self, export: Export, request: HttpRequest) -> dict[str, Any]:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        offered = {"label": export.label, "formats": export.formats, "url": reverse(name, args=[export.key]) + query}
        # A job keeps its filters, and what was searched for is somebody's name or address.
        if desk.ask and SEARCH_VAR not in request.GET:
            offered |= {"job_url": reverse(f"{name}_job", args=[export.key]) + query, "token": str(uuid4())}
        return offered

    def export_view(self, request: HttpRequest, key: str) -> HttpResponseBase:
        """Stream the filtered list. The filters come in the address, as on the list itself."""
        export = self._export(request, key)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self._must_step_up(export, request):
            return step_up.ask(request, come_back_to=self._list_address(request))
        format_ = request.POST.get("format", "csv")
        if format_ not in export.formats:
            return HttpResponseBadRequest("There is no such format: start from the list.")
        try:
            rows = filtered(self, request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest(UNREADABLE)
        # People are searched by name and address, which the log must not keep.
        kept = {name: [WITHHELD] if name == SEARCH_VAR else values for name, values in request.GET.lists()}
        return download(export, actor=request.user, rows=rows, filters=kept, format_=format_)

    def export_job_view(self, request: HttpRequest, key: str) -> HttpResponseBase:
        """Queue the same file as a job, whose page has the result."""
        export = self._export(request, key)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self._must_step_up(export, request):
            return step_up.ask(request, come_back_to=self._list_address(request))
        if SEARCH_VAR in request.GET:
            return HttpResponseBadRequest("What was searched for is not kept: export it at once.")
        try:
            filtered(self, request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest(UNREADABLE)
        if desk.ask is None:
            raise Http404
        page = desk.ask(
            kind=f"{JOB_PREFIX}{export.key}",
            actor=request.user,
            params={"filters": dict(request.GET.lists())},
            token=valid_token(request.POST.get("token", "")),
        )
        return redirect(page)

    def _must_step_up(self, export: Export, request: HttpRequest) -> bool:
        return export.needs_step_up and not step_up.is_fresh(request)

    def _list_address(self, request: HttpRequest) -> str:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return f"{address}?{request.GET.urlencode()}" if request.GET else address

    def _export(self, request: HttpRequest, key: str) -> Export:
        export = next((export for export in exports_of(self.model) if export.key == key), None)
        if export is None:
            raise Http404
        if not (request.user.has_perm(export.permission) and self.has_view_permission(request)):
            raise PermissionDenied
        return export
