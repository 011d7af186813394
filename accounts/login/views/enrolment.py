"""Setting up a second factor, and taking one off."""

import base64
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import clear_totp_secret, get_totp_secret
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView, View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from accounts import selectors
from accounts.errors import LastSecondFactor
from accounts.login import gate, notices
from accounts.login.forms import AddAppForm, AddPasskeyForm
from accounts.login.visitor import is_ours, member_of, session_of
from accounts.services import second_factors, sessions
from backoffice.lib.admin import step_up

# Where somebody was going when they were stopped for want of a second factor.
NEXT = "after_enrolment"
Type = Authenticator.Type


class EnrolmentPage(LoginRequiredMixin, TemplateResponseMixin, ContextMixin, View):
    """A page that is open to whoever has no second factor yet, where one is required."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "is_waiting": gate.waiting(self.request) is not None}


@method_decorator(never_cache, name="dispatch")
class FreshlyProven(LoginRequiredMixin, View):
    """A page that opens only under a fresh proof of who is asking."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not step_up.is_fresh(request):
            return step_up.ask(request)
        return super().dispatch(request, *args, **kwargs)


class AddFactorView(FreshlyProven, EnrolmentPage, FormView):
    """A page on which a second factor is set up."""

    done: str

    def added(self, factor: Authenticator) -> HttpResponse:
        """The factor counts as shown in this session, under a new key; sessions that never showed one are over."""
        member = member_of(self.request)
        is_first = selectors.main_factors(member).count() == 1
        record_authentication(self.request, member, "mfa", id=factor.pk, type=factor.type, reauthenticated=True)
        if is_first:
            sessions.end_sessions(member=member, actor=member, except_for=session_of(self.request).public_id)
        self.request.session.cycle_key()
        notices.send(member, f"a second factor was added ({_name_of(factor)})")
        messages.success(self.request, f"{self.done} You will be asked for it when you log in.")
        return redirect("mfa_view_recovery_codes" if is_first else "account_security")


class ChooseView(EnrolmentPage, TemplateView):
    """Which second factor to set up."""

    template_name = "mfa/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "has_app": _has_app(self.request),
            "is_required": settings.STAFF_MFA_REQUIRED,
        }


class AddAppView(AddFactorView):
    """An authenticator app, by its QR code."""

    form_class = AddAppForm
    done = "The authenticator app is set up."
    template_name = "mfa/totp/activate_form.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and _has_app(request):
            messages.info(request, "You have an authenticator app already. Remove it to set up another.")
            return redirect("account_security")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # One secret for as long as the page is tried: a wrong code must not make the app's entry worthless.
        secret = get_totp_secret()
        adapter = get_adapter()
        url = adapter.build_totp_url(self.request.user, secret)
        return {**super().get_context_data(**kwargs), "secret": secret, "qr_code": _inline(adapter.build_totp_svg(url))}

    def form_valid(self, form: AddAppForm) -> HttpResponse:
        factor = second_factors.add_app(
            member=member_of(self.request), secret=get_totp_secret(), code=form.cleaned_data["code"]
        )
        if factor is None and _has_app(self.request):
            # Set up in another window a moment ago.
            return redirect("account_security")
        if factor is None:
            form.add_error("code", "The app shows another code. Check that its clock is right, and use the newest.")
            return self.form_invalid(form)
        clear_totp_secret(self.request)
        return self.added(factor)


class AddPasskeyView(AddFactorView):
    """A passkey: a security key, a phone, or the device's own lock."""

    form_class = AddPasskeyForm
    done = "The passkey is set up."
    template_name = "mfa/webauthn/add_form.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        options = webauthn.begin_registration(self.request.user, passwordless=False)
        return {**super().get_context_data(**kwargs), "options": options}

    def form_valid(self, form: AddPasskeyForm) -> HttpResponse:
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        return self.added(second_factors.add_passkey(member=member_of(self.request), name=name, credential=credential))


class RemoveFactorView(FreshlyProven, TemplateView):
    """Take an authenticator app or a passkey off."""

    template_name = "mfa/remove.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        factor = self._factor()
        try:
            second_factors.remove_factor(member=member_of(request), factor_id=factor.pk)
        except LastSecondFactor as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"The {_name_of(factor)} is removed.")
            notices.send(member_of(request), f"a second factor was removed ({_name_of(factor)})")
        return redirect("account_security")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "name": _name_of(self._factor())}

    def _factor(self) -> Authenticator:
        factor = selectors.main_factors(member_of(self.request)).filter(pk=self.kwargs["factor_id"]).first()
        if factor is None:
            raise Http404("You have no such second factor.")
        return factor


def _name_of(factor: Authenticator) -> str:
    return "authenticator app" if factor.type == Type.TOTP else f"passkey {factor}"


def _has_app(request: HttpRequest) -> bool:
    return selectors.main_factors(member_of(request)).filter(type=Type.TOTP).exists()


def next_page(request: HttpRequest) -> str:
    """Where somebody was going before the enrolment, as long as that is here."""
    url = request.session.pop(NEXT, None) or ""
    return url if is_ours(request, url) else reverse("admin:index")


def _inline(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
