"""The one way in, and the way out."""

from typing import Any

from allauth.account.views import LoginView
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import get_user
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import selectors
from accounts.login import gate
from accounts.login.views.enrolment import NEXT
from accounts.login.visitor import session_of
from accounts.services import sign_ins

OLD_SESSION = "A second factor was set up since you logged in here. Log in again."


class SignInView(LoginView):
    """Email and password; allauth then asks whoever has a second factor for it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = gate.waiting(request)
        if member is not None:
            if not selectors.has_second_factor(member):
                request.session[NEXT] = self.get_next_url()
                return redirect("mfa_index")
            # What the session was opened with is not enough any more, or never was.
            logout(request)
            messages.warning(request, OLD_SESSION)
        return super().dispatch(request, *args, **kwargs)


@require_POST
@never_cache
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; of a login that stopped half way, too."""
    member = get_user(request)
    with transaction.atomic():
        session = session_of(request).public_id
        logout(request)
        if member.is_authenticated:
            sign_ins.record_sign_out(member=member, session=session)
    return render(request, "registration/logged_out.html", admin.site.each_context(request))
