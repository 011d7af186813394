"""Recovery codes: for the day on which all other second factors are lost."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from accounts import selectors
from accounts.login import notices
from accounts.login.views.enrolment import FreshlyProven, next_page
from accounts.login.visitor import member_of
from accounts.one_time_codes import recovery_codes_left
from accounts.services import second_factors


class CodesView(FreshlyProven, TemplateView):
    """The codes that are left. Posting says that they were put away."""

    template_name = "mfa/recovery_codes/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "codes": self.codes()}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect(next_page(request))

    def codes(self) -> list[str]:
        """Those not used yet. Raises Http404 for somebody without any second factor."""
        kept = selectors.second_factors(member_of(self.request)).filter(type=Authenticator.Type.RECOVERY_CODES).first()
        if kept is None:
            raise Http404("Recovery codes come with the first second factor.")
        return recovery_codes_left(kept)


class DownloadCodesView(CodesView):
    """The same as a text file."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        lines = ["Recovery codes of your staff account. Each works once.", "", *self.codes(), ""]
        return HttpResponse(
            "\n".join(lines),
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="recovery-codes.txt"'},
        )


class RenewCodesView(FreshlyProven, TemplateView):
    """New codes in the place of the old ones."""

    template_name = "mfa/recovery_codes/generate.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and not selectors.has_second_factor(member_of(request)):
            raise Http404("Recovery codes come with the first second factor.")
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        second_factors.renew_recovery_codes(member=member_of(request))
        notices.send(member_of(request), "new recovery codes were made")
        messages.success(request, "These are your new recovery codes. The old ones work no more.")
        return redirect("mfa_view_recovery_codes")
