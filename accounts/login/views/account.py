"""A member's own account: what they log in with, and where they are logged in."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView

from accounts import selectors
from accounts.login.visitor import member_of, session_of
from accounts.one_time_codes import recovery_codes_left
from accounts.services import sessions

Type = Authenticator.Type


class AccountView(TemplateView):
    """A page in the shell. Wrapped by ``admin_view`` in the addresses."""

    title: str

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request), "title": self.title}


class SecurityView(AccountView):
    """Password, second factors, recovery codes and sessions in one place."""

    title = "Security"
    template_name = "accounts/security.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        member = member_of(self.request)
        factors = list(selectors.second_factors(member))
        kept = next((factor for factor in factors if factor.type == Type.RECOVERY_CODES), None)
        return {
            **super().get_context_data(**kwargs),
            "factors": [factor for factor in factors if factor.type != Type.RECOVERY_CODES],
            "has_app": any(factor.type == Type.TOTP for factor in factors),
            "codes_left": len(recovery_codes_left(kept)) if kept else None,
            "session_count": selectors.live_sessions(member).count(),
        }


class SessionsView(AccountView):
    """Where am I logged in?"""

    title = "Where you are logged in"
    template_name = "accounts/sessions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "sessions": selectors.live_sessions(member_of(self.request)),
            "own_id": session_of(self.request).public_id,
        }


@require_POST
def end_session(request: HttpRequest, public_id: str) -> HttpResponse:
    """End one session of the reader's."""
    member = member_of(request)
    if str(public_id) == session_of(request).public_id:
        raise Http404("This session ends by logging out.")
    if sessions.end_session(member=member, public_id=str(public_id), actor=member):
        messages.success(request, "That session is ended.")
    else:
        messages.info(request, "That session was over already.")
    return redirect("account_sessions")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all sessions of the reader's but this one."""
    member = member_of(request)
    ended = sessions.end_sessions(member=member, actor=member, except_for=session_of(request).public_id)
    messages.success(request, f"Ended: {ended}." if ended else "There were no others.")
    return redirect("account_sessions")
