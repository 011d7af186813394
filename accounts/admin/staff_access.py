"""What a super admin does about how a colleague logs in: see and end their sessions, take lost second factors off."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.generic import TemplateView

from accounts import selectors
from accounts.login import notices
from accounts.models import StaffMember
from accounts.services import second_factors, sessions
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Change, ConfirmFormView
from backoffice.lib.admin.navigation import set_current


def urls() -> list[URLPattern]:
    """To stand before those of ``StaffMemberAdmin``."""
    wrap = admin.site.admin_view
    return [
        path(
            "<int:member_id>/reset-second-factor/",
            wrap(ResetSecondFactorView.as_view()),
            name="accounts_staffmember_reset_second_factor",
        ),
        path("<int:member_id>/sessions/", wrap(SessionsView.as_view()), name="accounts_staffmember_sessions"),
    ]


def _colleague(request: HttpRequest, member_id: int) -> StaffMember:
    """Somebody else on the staff. Raises PermissionDenied for all but super admins, Http404."""
    # No permission stands for this: whoever resets a super admin's second factor is half way to being one.
    if not request.user.is_superuser:
        raise PermissionDenied
    member = StaffMember.objects.filter(pk=member_id).exclude(pk=request.user.pk).first()
    if member is None:
        raise Http404("There is no such colleague. For yourself there is the page Security.")
    return member


class ResetForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="How you know that it is them who ask. Kept in the audit log.",
    )


class ResetSecondFactorView(ConfirmFormView):
    permission_required = "accounts.change_staffmember"
    needs_step_up = True
    form_class = ResetForm
    title = "Reset second factor"
    submit_label = "Reset"
    is_dangerous = True
    navigation_key = "staff"
    help_text = (
        "For a colleague who lost all they could prove themselves with. Speak to them first: whoever knows their "
        "password can set up a new second factor after this."
    )

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> StaffMember:
        return _colleague(request, kwargs["member_id"])

    def effect(self, subject: StaffMember, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        count = selectors.main_factors(subject).count()
        return [
            Change("Second factors", display.number(count), display.number(0)),
            Change("Sessions", display.number(selectors.live_sessions(subject).count()), display.number(0)),
        ]

    def perform(self, request: HttpRequest, subject: StaffMember, cleaned_data: dict[str, Any], token: str) -> str:
        second_factors.reset_second_factor(member=subject, actor=request.user, reason=cleaned_data["reason"])
        notices.send(subject, "the second factors were reset by a super admin")
        return f"{subject} has no second factor any more and is logged out everywhere."

    def success_url(self, subject: StaffMember) -> str:
        return reverse("admin:accounts_staffmember_change", args=[subject.pk])


class SessionsView(TemplateView):
    """Where a colleague is logged in; posting a ``session`` ends it, posting none ends all."""

    template_name = "accounts/member_sessions.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.member = _colleague(request, kwargs["member_id"])
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        set_current(self.request, "staff")
        return {
            **super().get_context_data(**kwargs),
            **admin.site.each_context(self.request),
            "title": "Sessions",
            "member": self.member,
            "member_url": reverse("admin:accounts_staffmember_change", args=[self.member.pk]),
            "sessions": selectors.live_sessions(self.member),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        public_id = request.POST.get("session", "")
        if public_id:
            ended = sessions.end_session(member=self.member, public_id=public_id, actor=request.user)
        else:
            ended = bool(sessions.end_sessions(member=self.member, actor=request.user))
        messages.success(request, "Ended." if ended else "It was over already.")
        return redirect(request.path)
