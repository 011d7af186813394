"""Imports as staff make them: hand a file in, see what is in it, confirm, see what came of it."""

import csv
import io
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.fields import ReasonField
from imports import columns, selectors, services
from imports.errors import ImportRefused
from imports.models import CustomerImport, Encoding
from imports.report import Report
from imports.stages import MOVING, Stage, stage_of
from jobs.admin.shown import id_in
from jobs.selectors import result_is_there

TONES: dict[Stage, display.Tone] = {
    Stage.CHECKING: "info",
    Stage.UNCHECKED: "bad",
    Stage.FAULTY: "bad",
    Stage.READY: "warn",
    Stage.REPEATED: "mute",
    Stage.IMPORTING: "info",
    Stage.REFUSED: "bad",
    Stage.IMPORTED: "ok",
}


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="CSV; the first line names the columns. Whatever is wrong is shown before anything is written.",
    )
    updates = forms.TypedChoiceField(
        label="Customers who are known already",
        choices=[("no", "are errors"), ("yes", "are updated")],
        coerce=lambda chosen: chosen == "yes",
        help_text="An update changes what the file tells of; empty cells and balances stay as they are.",
    )
    ignores_unknown = forms.TypedChoiceField(
        label="Columns that are not known",
        choices=[("no", "are errors"), ("yes", "are left out")],
        coerce=lambda chosen: chosen == "yes",
    )
    encoding = forms.ChoiceField(choices=[("", "Find out"), *Encoding.choices], required=False)
    reason = ReasonField(rows=2)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {filesizeformat(settings.UPLOAD_MAX_BYTES)}.")
        return file


@admin.register(CustomerImport)
class CustomerImportAdmin(EvidenceAdmin):
    list_display = ("name", "stage_shown", "rows", "asked_by", "asked")
    ordering = ("-created_at",)
    sortable_by = ("asked",)
    empty_hint = (
        "Customers of another system come in as a file. Add an import: it is looked through before anything is written."
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("example/", wrap(self.example_view), name="imports_customerimport_example"),
            path("<int:import_id>/live/", wrap(self.live_view), name="imports_customerimport_live"),
            path("<int:import_id>/confirm/", wrap(self.confirm_view), name="imports_customerimport_confirm"),
        ]
        return [*own, *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(selectors.IMPORT)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(selectors.IMPORT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(selectors.IMPORT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerImport]:
        return selectors.imports()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form for a file; what it hands in is looked through by a worker."""
        self._check_permission(request)
        form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            given = self._hand_in(request, form.cleaned_data)
            return redirect("admin:imports_customerimport_change", given.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import customers",
            "form": form,
            "columns": columns.ALL,
            "largest": settings.UPLOAD_MAX_BYTES,
        }
        return TemplateResponse(request, "imports/upload.html", context)

    def _hand_in(self, request: HttpRequest, told: dict[str, Any]) -> CustomerImport:
        given = services.keep_file(name=told["file"].name, actor=request.user, **told)
        return services.start_check(import_id=given.pk, actor=request.user)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One file: how far it is, what was found, the button that imports it, what came of it."""
        given = self._given(request, id_in(object_id))
        context = {**self.admin_site.each_context(request), **live(request, given), "title": str(given)}
        return TemplateResponse(request, "imports/import.html", context)

    def live_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        return TemplateResponse(request, "imports/includes/live.html", live(request, self._given(request, import_id)))

    def confirm_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """Import a file that was found right."""
        given = self._given(request, import_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            services.start_import(import_id=given.pk, actor=request.user)
        except ImportRefused as error:
            messages.error(request, str(error))
        return redirect("admin:imports_customerimport_change", given.pk)

    def example_view(self, request: HttpRequest) -> HttpResponse:
        """A file that shows every column."""
        self._check_permission(request)
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(column.name for column in columns.ALL)
        writer.writerow(column.example for column in columns.ALL)
        answer = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="customers_example.csv"'
        return answer

    def _given(self, request: HttpRequest, import_id: int) -> CustomerImport:
        self._check_permission(request)
        given = selectors.imports().filter(pk=import_id).first()
        if given is None:
            raise Http404("There is no such import.")
        return given

    def _check_permission(self, request: HttpRequest) -> None:
        if not request.user.has_perm(selectors.IMPORT):
            raise PermissionDenied

    @admin.display(description="State")
    def stage_shown(self, given: CustomerImport) -> str:
        stage = stage_of(given)
        return display.badge(stage, TONES[stage])

    @admin.display(description="Rows")
    def rows(self, given: CustomerImport) -> str:
        return display.number(given.report["rows"]) if given.report else display.absent()

    @admin.display(description="Handed in by")
    def asked_by(self, given: CustomerImport) -> Any:
        return given.created_by or "a command"

    @admin.display(description="Handed in", ordering="created_at")
    def asked(self, given: CustomerImport) -> str:
        return display.moment(given.created_at)


def live(request: HttpRequest, given: CustomerImport) -> dict[str, Any]:
    """What the page shows of a file as it stands now."""
    stage = stage_of(given)
    report = Report.of(given.report) if given.report else None
    job = given.import_job or given.check_job
    return {
        "given": given,
        "report": report,
        "stage": stage,
        "badge": display.badge(stage, TONES[stage]),
        "is_moving": stage in MOVING,
        "credits": Decimal(report.credits) if report else None,
        "is_ready": stage == Stage.READY,
        "is_imported": stage == Stage.IMPORTED,
        "job": job,
        "job_url": job and reverse("admin:jobs_job_change", args=[job.pk]),
        "obstacle": selectors.obstacle(request.user, report) if report and stage == Stage.READY else None,
        "has_errors_file": job is not None and result_is_there(request.user, job),
    }
