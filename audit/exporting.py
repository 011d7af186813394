"""A CSV export on a list page of the admin: of what is filtered, by POST, with its own permission, in the audit log."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse

from audit.services import WITHHELD, Resource, record
from backoffice.lib import clock, csv


class ExportMixin:
    """Adds an Export button to the list and the address behind it.

    ``export_permission`` is ``app.codename``; ``export_name`` begins the file's name.
    """

    export_name: ClassVar[str]
    export_permission: ClassVar[str]
    export_action: ClassVar[str]
    export_columns: ClassVar[Sequence[csv.Column]]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        extra: dict[str, Any] = {}
        if request.user.has_perm(self.export_permission):
            address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")
            extra["export_url"] = f"{address}?{request.GET.urlencode()}" if request.GET else address
        return super().changelist_view(request, extra | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Stream the filtered list. The filters come in the address, as on the list itself."""
        if not (request.user.has_perm(self.export_permission) and self.has_view_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            queryset = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseBadRequest("The filters in the address cannot be read: start from the list.")
        with transaction.atomic():
            record(
                action=self.export_action,
                actor=request.user,
                resource=Resource(self.opts.label_lower, "", str(self.opts.verbose_name_plural)),
                new_values={"filters": {key: self._kept(key, request) for key in request.GET}},
            )
        return csv.response(self.for_export(queryset), self.export_columns, name=self.export_name, now=clock.now())

    def _kept(self, key: str, request: HttpRequest) -> list[str]:
        # People are searched by name and address, which the log must not keep.
        return [WITHHELD] if key == SEARCH_VAR else request.GET.getlist(key)

    def for_export(self, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows in the file's order."""
        return queryset.order_by("pk")
