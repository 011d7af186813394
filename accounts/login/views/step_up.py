"""The page that asks somebody who is logged in to prove it anew."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from accounts import selectors
from accounts.login.forms import StepUpCodeForm, StepUpPasskeyForm, StepUpPasswordForm
from accounts.login.visitor import is_ours, member_of
from accounts.services import sign_ins
from backoffice.lib.admin import step_up

Type = Authenticator.Type
Form = StepUpCodeForm | StepUpPasskeyForm | StepUpPasswordForm


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class StepUpView(LoginRequiredMixin, TemplateView):
    """Asks for the second factor; for the password of whoever has none. Then back, with the form that was sent."""

    template_name = "account/reauthenticate.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        forms_by_name = self._forms(request.POST)
        posted = next((form for name, form in forms_by_name.items() if name in request.POST), None)
        if posted is None or not posted.is_valid():
            return self.render_to_response(self.get_context_data(**forms_by_name))
        posted.save()
        sign_ins.record_step_up(member=member_of(request), method=posted.method)
        return self._back(step_up.kept_form(request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = {**self._forms(), **{name: form for name, form in kwargs.items() if isinstance(form, forms.Form)}}
        context = {**super().get_context_data(**kwargs), **shown, "next": self._next()}
        if "credential" in shown:
            context["options"] = webauthn.begin_authentication(member_of(self.request))
        return context

    def _forms(self, data: QueryDict | None = None) -> dict[str, Form]:
        """The ways that are open to this member, each under the name of the field by which it is posted."""
        member = member_of(self.request)
        kinds = set(selectors.main_factors(member).values_list("type", flat=True))
        ways: dict[str, type[Form]] = {"code": StepUpCodeForm} if kinds else {"password": StepUpPasswordForm}
        if Type.WEBAUTHN in kinds:
            ways["credential"] = StepUpPasskeyForm
        return {name: way(data if data and name in data else None, user=member) for name, way in ways.items()}

    def _back(self, kept: step_up.KeptForm | None) -> HttpResponse:
        url = self._next()
        if kept is None or kept["address"] != url:
            return redirect(url)
        # Sent by a button rather than for them: by now they may have thought better of it.
        fields = [(name, value) for name, values in QueryDict(kept["fields"]).lists() for value in values]
        own = [(name, value) for name, value in fields if name != "csrfmiddlewaretoken"]
        return render(self.request, "account/resume.html", {"address": url, "fields": own})

    def _next(self) -> str:
        url = self.request.POST.get("next") or self.request.GET.get("next") or ""
        return url if is_ours(self.request, url) else reverse("admin:index")
