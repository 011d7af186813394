"""The inbox of requests that wait for a second person, and the page of one."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join

from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.changelist import KeysetChangeList
from backoffice.lib.admin.confirm import Change
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.work import approvable_verbs
from jobs import selectors
from jobs.admin.decisions import (
    SEE,
    ApproveView,
    DenyView,
    WithdrawView,
    about,
    effect_of,
    name_those_about,
    state_badge,
    what,
)
from jobs.models import Approval, ApprovalState


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return ApprovalState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class WhoseFilter(admin.SimpleListFilter):
    title, parameter_name = "whose", "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("decide", "Waiting for me"), ("mine", "Asked by me")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        if self.value() == "mine":
            return queryset.filter(requested_by=request.user.pk)
        if self.value() == "decide":
            return queryset.filter(pk__in=selectors.waiting_for(request.user).values("pk"))
        return queryset


class ApprovalChangeList(KeysetChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Each row with the address of the customer it is about: one query for all."""
        super().get_results(request)
        name_those_about(self.result_list)


@admin.register(Approval)
class ApprovalAdmin(EvidenceAdmin):
    list_display = ("asked", "what_for", "state_shown", "about", "requested_by", "decider", "reason")
    list_filter = (StateFilter, WhoseFilter, ("created_at", DateRangeFilter))
    ordering = ("-created_at",)
    sortable_by = ()
    empty_hint = (
        "Acts above somebody's limit wait here for a second person. Limits are set under Settings, for each role."
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return ApprovalChangeList

    def get_urls(self) -> list[URLPattern]:
        pages = [("approve", ApproveView), ("deny", DenyView), ("withdraw", WithdrawView)]
        decisions = [
            path(
                f"<int:approval_id>/{verb}/",
                self.admin_site.admin_view(view.as_view()),
                name=f"jobs_approval_{verb}",
            )
            for verb, view in pages
        ]
        return [*decisions, *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: Approval | None = None) -> bool:
        # Everybody sees what they asked for themselves.
        if obj is not None and obj.requested_by_id == request.user.pk:
            return True
        return request.user.has_perm(SEE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        return super().get_queryset(request).select_related("requested_by", "decided_by")

    def get_fields(self, request: HttpRequest, obj: Approval | None = None) -> Sequence[str]:
        waits = obj is not None and obj.state == ApprovalState.PENDING
        rest = ("effect_now", "waits_until") if waits else ("decider", "decided", "decision_reason")
        if obj is not None and obj.outcome:
            rest = (*rest, "outcome")
        return ("state_shown", "what_for", "about_whom", "reason", "requested_by", "asked", *rest)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        approval = self.get_object(request, object_id)
        if approval is not None and not self.has_view_permission(request, approval):
            raise PermissionDenied
        waits = approval is not None and approval.state == ApprovalState.PENDING
        extra = {
            "may_decide": waits and selectors.may_decide(request.user, approval),
            "may_withdraw": waits and approval.requested_by_id == request.user.pk,
        }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @admin.display(description="Asked", ordering="created_at")
    def asked(self, approval: Approval) -> str:
        return display.moment(approval.created_at)

    @admin.display(description="What")
    def what_for(self, approval: Approval) -> str:
        return what(approval)

    @admin.display(description="About")
    def about(self, approval: Approval) -> Any:
        verb = approvable_verbs.get(approval.verb)
        return display.link(verb.url(approval.params), about(approval)) if verb else about(approval)

    @admin.display(description="About")
    def about_whom(self, approval: Approval) -> Any:
        name_those_about([approval])
        return self.about(approval)

    @admin.display(description="Effect, as things are now")
    def effect_now(self, approval: Approval) -> Any:
        if approval.state != ApprovalState.PENDING:
            return display.absent()
        return format_html_join("", "<div>{}: {}</div>", map(_in_words, effect_of(approval))) or display.absent()

    @admin.display(description="State")
    def state_shown(self, approval: Approval) -> str:
        return state_badge(approval)

    @admin.display(description="Decided by")
    def decider(self, approval: Approval) -> Any:
        return approval.decided_by or display.absent()

    @admin.display(description="Decided")
    def decided(self, approval: Approval) -> str:
        return display.moment(approval.decided_at)

    @admin.display(description="Waits until")
    def waits_until(self, approval: Approval) -> str:
        return display.expiry(approval.expires_at)


def _in_words(change: Change) -> tuple[str, Any]:
    if change.before is None:
        return change.label, change.after
    return change.label, format_html("{} → {}", change.before, change.after)
