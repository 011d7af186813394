"""The forms by which a request that waits for a second person is decided, and how it is told in words."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import User
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView, tell
from backoffice.lib.admin.fields import ReasonField
from backoffice.lib.work import approvable_verbs, limited_verbs
from jobs import services
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


class ReasonForm(forms.Form):
    reason = ReasonField("Kept in the audit log; who asked sees it.")


class WordForm(forms.Form):
    reason = ReasonField("Kept in the audit log; who asked sees it.", required=False, label="A word on it")


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


def name_those_about(approvals: Sequence[Approval]) -> None:
    """Set ``about_email`` on those that are about a customer; who asked for it sees them on this page anyhow."""
    wanted = [row.resource_id for row in approvals if row.resource_type == User._meta.label_lower]
    emails = dict(User.objects.filter(pk__in=wanted).values_list("pk", "email")) if wanted else {}
    for row in approvals:
        is_person = row.resource_type == User._meta.label_lower
        row.about_email = emails.get(int(row.resource_id), "") if is_person else ""  # type: ignore[attr-defined]


def about(approval: Approval) -> str:
    """Whom or what it is about: the email, if ``name_those_about`` found one, else the kind of thing and its number."""
    name = approval.resource_type.rpartition(".")[2]
    return approval.about_email or f"{'customer' if name == 'user' else name} {approval.resource_id}"  # type: ignore[attr-defined]


def state_badge(approval: Approval) -> SafeString:
    return display.badge(approval.get_state_display(), TONES[approval.state])


class DecisionView(ConfirmFormView):
    """The base of approving, denying and withdrawing."""

    permission_required = DECIDE
    navigation_key = "approvals"
    domain_errors = (WorkError,)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Approval:
        return visible(request, kwargs["approval_id"])

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        approval = self.get_subject(request, **kwargs)
        if approval.state != ApprovalState.PENDING:
            tell(request, Caution("This is decided already: there is nothing left to do."))
            return redirect(self.success_url(approval))
        return super().get(request, **kwargs)

    def describe(self, subject: Approval) -> str:
        name_those_about([subject])
        return f"{what(subject)} ({about(subject)}), asked by {subject.requested_by}"

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
