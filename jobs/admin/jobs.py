"""Jobs as staff see them: one's own, or everybody's with the permission for it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.work import job_kinds
from jobs import selectors
from jobs.admin import acts, page, shown
from jobs.admin.prepare import PrepareView
from jobs.models import Job, JobState


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [choice for choice in JobState.choices if choice[0] != JobState.DRAFT]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = "kind", "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(kind.key, kind.label) for kind in job_kinds if request.user.has_perm(kind.permission)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class WhoseFilter(admin.SimpleListFilter):
    title, parameter_name = "whose", "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        # Who sees only their own has nothing to choose from.
        return [("mine", "Mine")] if request.user.has_perm(selectors.SEE_ALL) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(actor=request.user.pk) if self.value() == "mine" else queryset


@admin.register(Job)
class JobAdmin(EvidenceAdmin, AuditedModelAdmin):
    list_display = ("what", "state_shown", "how_far", "result", "asked_by", "asked", "ended")
    list_filter = (StateFilter, KindFilter, WhoseFilter, ("created_at", DateRangeFilter))
    ordering = ("-created_at",)
    sortable_by = ()
    has_history = True
    empty_hint = (
        "Work that takes longer than a page is listed here with how far it is. "
        "Choose customers in their list and what to do with them to see the first."
    )

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "progress": page.progress,
            "download": page.download,
            "cancel": acts.cancel,
            "again": acts.run_again,
            "undo": acts.UndoView.as_view(),
            "prepare": PrepareView.as_view(),
        }
        own = [
            path(f"<int:job_id>/{name}/", self.admin_site.admin_view(view), name=f"jobs_job_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return True  # Whoever is let in sees their own jobs; the queryset holds no others.

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return selectors.jobs_seen_by(request.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job:
        job = super().get_object(request, object_id, from_field)
        if job is None:
            raise Http404("There is no such job.")
        return job

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = shown.visible(request, shown.id_in(object_id))
        if job.state == JobState.DRAFT:
            return redirect("admin:jobs_job_prepare", job.pk)
        context = {
            **self.admin_site.each_context(request),
            **page.live(request, job),
            "title": shown.kind_label(job),
            "opts": self.opts,
            "words": shown.words(job),
            "has_audit": request.user.has_perm("audit.view_auditentry"),
        }
        return TemplateResponse(request, "jobs/job.html", context)

    @admin.display(description="What")
    def what(self, job: Job) -> str:
        return f"{shown.kind_label(job)} {job.pk}"

    @admin.display(description="State")
    def state_shown(self, job: Job) -> str:
        return shown.state_badge(job)

    @admin.display(description="How far")
    def how_far(self, job: Job) -> str:
        return shown.how_far(job)

    @admin.display(description="What came of it")
    def result(self, job: Job) -> Any:
        return job.error or job.message or display.absent()

    @admin.display(description="Asked by")
    def asked_by(self, job: Job) -> Any:
        return job.actor or "the system"

    @admin.display(description="Asked", ordering="created_at")
    def asked(self, job: Job) -> str:
        return display.moment(job.created_at)

    @admin.display(description="Ended")
    def ended(self, job: Job) -> str:
        return display.moment(job.finished_at)
