"""The inbox of requests that wait for a second person, and the page on which one is decided."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.work import approvable_verbs, limited_verbs
from jobs import selectors, services
from jobs.errors import WorkError
from jobs.models import Approval, ApprovalState

SEE, DECIDE = "jobs.view_approval", "jobs.decide_approval"
TONES: dict[str, display.Tone] = {
    ApprovalState.PENDING: "warn",
    ApprovalState.APPROVED: "ok",
    ApprovalState.DENIED: "bad",
    ApprovalState.FAILED: "bad",
    ApprovalState.WITHDRAWN: "mute",
    ApprovalState.EXPIRED: "mute",
}


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


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the audit log; who asked sees it."
    )


class WordForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        required=False,
        label="A word on it",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit log; who asked sees it.",
    )


class NoForm(forms.Form):
    """Nothing to fill in."""


def visible(request: HttpRequest, approval_id: int) -> Approval:
    """The request, if the reader may see it: with the permission, or as the one who asked. Raises Http404."""
    approval = Approval.objects.select_related("requested_by", "decided_by").filter(pk=approval_id).first()
    if approval is None or not (approval.requested_by_id == request.user.pk or request.user.has_perm(SEE)):
        raise Http404("There is no such request.")
    return approval


def what(approval: Approval) -> str:
    """The verb in words, with its amount."""
    verb, limited = approvable_verbs.get(approval.verb), limited_verbs.get(approval.verb)
    amount = limited.format(approval.amount) if limited else f"{approval.amount.normalize():f}"
    if verb is None:
        return f"{approval.verb}: {amount}"
    return f"{verb.label}: {amount if limited else f'{amount} {verb.unit}'}"


def effect_of(approval: Approval) -> Sequence[Change]:
    """What it would do as things are now, or why it would be refused."""
    verb = approvable_verbs.get(approval.verb)
    if verb is None:
        return []
    try:
        return verb.effect(approval.params)
    except verb.refusals as refusal:
        return [Change.told("Would be refused", str(refusal))]


class DecisionView(ConfirmFormView):
    """The base of approving, denying and withdrawing."""

    permission_required = DECIDE
    navigation_key = "approvals"
    domain_errors = (WorkError,)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Approval:
        return visible(request, kwargs["approval_id"])

    def describe(self, subject: Approval) -> str:
        return f"{what(subject)}, asked by {subject.requested_by}"

    def success_url(self, subject: Approval) -> str:
        return reverse("admin:jobs_approval_change", args=[subject.pk])


class ApproveView(DecisionView):
    form_class = WordForm
    title = submit_label = "Approve"
    help_text = "It is done at once, in the name of who asked, and counts against your limit."

    def effect(self, subject: Approval, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        return effect_of(subject)

    def perform(self, request: HttpRequest, subject: Approval, cleaned_data: dict[str, Any], token: str) -> str:
        decided = services.approve(approval_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        if decided.state == ApprovalState.FAILED:
            return Caution(f"It could not be done: {decided.outcome}")
        return f"Approved and done. {decided.outcome}"


class DenyView(DecisionView):
    form_class = ReasonForm
    title = submit_label = "Deny"
    is_dangerous = True

    def effect(self, subject: Approval, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        return [Change("Request", state_badge(subject), display.badge("Denied", "bad"))]

    def perform(self, request: HttpRequest, subject: Approval, cleaned_data: dict[str, Any], token: str) -> str:
        services.deny(approval_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        return "Denied. Nothing was changed."


class WithdrawView(DecisionView):
    # Whoever was allowed to ask may think again: the service lets nobody else.
    permission_required = ""
    form_class = NoForm
    title = submit_label = "Withdraw"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Approval:
        approval = super().get_subject(request, **kwargs)
        if approval.requested_by_id != request.user.pk:
            raise Http404("This is somebody else's request.")
        return approval

    def effect(self, subject: Approval, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        return [Change("Request", state_badge(subject), display.badge("Withdrawn"))]

    def perform(self, request: HttpRequest, subject: Approval, cleaned_data: dict[str, Any], token: str) -> str:
        services.withdraw(approval_id=subject.pk, actor=request.user)
        return "Withdrawn."


def state_badge(approval: Approval) -> SafeString:
    return display.badge(approval.get_state_display(), TONES[approval.state])


@admin.register(Approval)
class ApprovalAdmin(EvidenceAdmin):
    list_display = ("asked", "what_for", "about", "requested_by", "reason", "state_shown", "decider")
    list_filter = (StateFilter, WhoseFilter, ("created_at", DateRangeFilter))
    ordering = ("-created_at",)
    sortable_by = ()
    empty_hint = (
        "Acts above somebody's limit wait here for a second person. Limits are set under Settings, for each role."
    )

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
        rest = ("effect_now", "waits_until") if waits else ("decider", "decided", "decision_reason", "outcome")
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
        name = approval.resource_type.rpartition(".")[2]
        text = f"{'customer' if name == 'user' else name} {approval.resource_id}"
        return display.link(verb.url(approval.params), text) if verb else text

    @admin.display(description="About")
    def about_whom(self, approval: Approval) -> Any:
        if approval.resource_type != User._meta.label_lower:
            return self.about(approval)
        email = User.objects.filter(pk=approval.resource_id).values_list("email", flat=True).first()
        return format_html("{} ({})", self.about(approval), email) if email else self.about(approval)

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
