"""A fresh proof of who is asking, before the acts that would hurt most in a stranger's hands.

Confirm forms ask by ``needs_step_up``, admin classes by ``StepUpToChange``, other views by ``is_fresh`` and ``ask``.
The page that takes the proof is ``account_reauthenticate``.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from backoffice.lib import clock

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object

KEPT_FORM = "step_up_form"


class KeptForm(TypedDict):
    """A form that was sent too late, as it waits in the session: where it goes, and its fields urlencoded."""

    address: str
    fields: str


def proven_at(request: HttpRequest) -> datetime | None:
    """When somebody at this session last showed who they are: by the login, or by a step-up after it."""
    records = get_authentication_records(request, request.user)
    if records:
        return datetime.fromtimestamp(records[-1]["at"], UTC)
    return getattr(request.session, "started_at", None)


def is_fresh(request: HttpRequest) -> bool:
    """Whether that is less than ``settings.STEP_UP_AFTER`` ago."""
    at = proven_at(request)
    return at is not None and clock.now() - at < settings.STEP_UP_AFTER


def ask(request: HttpRequest, *, come_back_to: str = "") -> HttpResponse:
    """Send the reader to prove who they are, and then back: to ``come_back_to``, else to where they are now.

    A form that they sent waits for them, unless it holds a password or they come back to somewhere else.
    """
    here = request.get_full_path()
    if request.method == "POST" and not come_back_to and not any("password" in name for name in request.POST):
        request.session[KEPT_FORM] = KeptForm(address=here, fields=request.POST.urlencode())
    else:
        request.session.pop(KEPT_FORM, None)
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': come_back_to or here})}")


def kept_form(request: HttpRequest) -> KeptForm | None:
    """The form that waits, which then waits no more."""
    kept: KeptForm | None = request.session.pop(KEPT_FORM, None)
    return kept


class StepUpToChange(_ModelAdmin):
    """An admin class, this one first of its bases, whose records are changed only under a fresh proof.

    Looking at a record needs none: whoever saves one is asked then, and finds the form as it was.
    """

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        changes = object_id is None or request.method == "POST"
        if changes and self.has_change_permission(request) and not is_fresh(request):
            return ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if self.has_delete_permission(request) and not is_fresh(request):
            return ask(request)
        return super().delete_view(request, object_id, extra_context)
