"""The import that the list of a small catalogue offers: hand a file in, see what it would do, confirm.

Nothing is kept between the two steps: the file goes to the page that shows what it would do, signed, and comes back
with the word.
"""

import base64
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from audit import services
from audit.errors import NotAsShown
from backoffice.lib.catalogues import files
from backoffice.lib.catalogues.resources import CatalogueResource

# How long what was shown can be confirmed.
PREVIEW_SECONDS = 3_600
STALE = "What was shown has gone stale. Nothing was imported: choose the file again."
CHANGED = "The list has changed since. Nothing was imported: this is what the file would do now."


@dataclass(frozen=True)
class Handed:
    """A file as it was handed in, and how the catalogue was when its effect was shown."""

    content: str
    format: files.Format
    reason: str
    state: str = ""

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Handed":
        file = told["file"]
        format_: files.Format = "json" if file.name.lower().endswith(".json") else "csv"
        return cls(base64.b64encode(file.read()).decode(), format_, told["reason"])

    def rows(self, resource: CatalogueResource) -> list[files.FileRow]:
        """Raises FileRefused."""
        content = base64.b64decode(self.content)
        return files.read(content, self.format, columns=resource.columns(), key=resource.key)


class FileForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="CSV or JSON, as the export of this list writes it. Nothing is written before you confirm.",
        widget=forms.FileInput(attrs={"accept": ".csv,.json"}),
    )
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept in the audit log."
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > files.MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {files.MOST_BYTES // 1024} KB. Divide it.")
        return file


class ImportMixin:
    """Adds an import to the list of an AuditedModelAdmin, for who may both add and change its records."""

    catalogue: ClassVar[type[CatalogueResource]]

    def get_urls(self) -> list[URLPattern]:
        return [
            path("import/", self.admin_site.admin_view(self.import_view), name=f"{self._page_name}_import"),
            *super().get_urls(),
        ]

    @property
    def _page_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        extra = {}
        if self.has_import_permission(request):
            extra["import_url"] = reverse(f"admin:{self._page_name}_import")
        return super().changelist_view(request, extra | (extra_context or {}))

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """The form for a file, what it would do, and the doing of it."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._form_page(request, FileForm(label_suffix=""))
        if "preview" in request.POST:
            return self._confirmed(request)
        form = FileForm(request.POST, request.FILES, label_suffix="")
        if form.is_valid():
            try:
                return self._shown(request, Handed.of(form.cleaned_data))
            except files.FileRefused as error:
                form.add_error("file", str(error))
        return self._form_page(request, form)

    def _shown(self, request: HttpRequest, handed: Handed, *, warning: str = "") -> HttpResponse:
        """What the file would do, with what it takes to confirm just that. Raises FileRefused."""
        resource = self.catalogue()
        outcome = services.look_through(resource=resource, rows=handed.rows(resource))
        seen = Handed(handed.content, handed.format, handed.reason, outcome.state)
        context = {
            "outcome": outcome,
            "new": outcome.number("new"),
            "changed": outcome.number("update"),
            "as_it_is": outcome.number("skip"),
            "faulty": outcome.number("error"),
            "numbered": "Object" if handed.format == "json" else "Line",
            "reason": handed.reason,
            "preview": signing.dumps(asdict(seen), salt=self._salt(request), compress=True),
            "warning": warning,
        }
        return self._page(request, context)

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        try:
            told = signing.loads(request.POST["preview"], salt=self._salt(request), max_age=PREVIEW_SECONDS)
        except signing.BadSignature:
            form = FileForm(label_suffix="")
            return self._form_page(request, form, warning=STALE)
        handed, resource = Handed(**told), self.catalogue()
        try:
            outcome = services.import_rows(
                resource=resource,
                rows=handed.rows(resource),
                state=handed.state,
                actor=request.user,
                reason=handed.reason,
            )
        except NotAsShown:
            return self._shown(request, handed, warning=CHANGED)
        new, changed = outcome.number("new"), outcome.number("update")
        messages.success(request, f"{self.opts.verbose_name_plural.capitalize()}: {new} added, {changed} changed.")
        return redirect(f"admin:{self._page_name}_changelist")

    def _salt(self, request: HttpRequest) -> str:
        # Of one reader and one catalogue: what somebody was shown, nobody else confirms.
        return f"catalogue:{self.opts.label_lower}:{request.user.pk}"

    def _form_page(self, request: HttpRequest, form: FileForm, *, warning: str = "") -> HttpResponse:
        return self._page(request, {"form": form, "warning": warning})

    def _page(self, request: HttpRequest, more: dict[str, Any]) -> HttpResponse:
        resource = self.catalogue()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "list_url": reverse(f"admin:{self._page_name}_changelist"),
            "columns": resource.columns(),
            "key": resource.key,
            "most_rows": files.MOST_ROWS,
            "most_bytes": files.MOST_BYTES,
            **more,
        }
        return TemplateResponse(request, "audit/catalogue_import.html", context)
