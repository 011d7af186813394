"""The one form for acts that move money or shut someone out: it shows its effect before it is done."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views import View

from backoffice.lib.admin import step_up
from backoffice.lib.admin.navigation import set_current

TOKEN_FIELD, CONFIRM_FIELD = "token", "confirm"
UNDO = "undo:"
STALE = "This form had gone stale. Nothing was done: check it and go on."


@dataclass(frozen=True)
class Change:
    """A line of the effect: what it is now and what it would be; or, without a ``before``, what would happen."""

    label: str
    before: Any
    after: Any

    @classmethod
    def told(cls, label: str, value: Any) -> "Change":
        """What is no change of something: who it is for, what comes with it."""
        return cls(label, None, value)


class Caution(str):
    """What ``perform`` returns when the act was done and did not reach what the reader wanted."""


class Undoable(str):
    """What ``perform`` returns when the act can be taken back by one POST to ``undo_url``."""

    undo_url: str

    def __new__(cls, message: str, undo_url: str) -> "Undoable":
        undoable = super().__new__(cls, message)
        undoable.undo_url = undo_url
        return undoable


class ConfirmFormView(View):
    """GET shows the form; POST shows the effect; POST with ``confirm=yes`` does it, then redirects.

    A random token is made with the form and kept until the act, so that a double click has one effect: ``perform``
    hands it to its service as idempotency token. ``domain_errors`` are shown in the form. Files are not supported,
    since the effect page keeps all values in hidden inputs. Wrap it in ``site.admin_view``.
    """

    permission_required: ClassVar[str]
    form_class: ClassVar[type[forms.Form]]
    title: ClassVar[str]
    submit_label: ClassVar[str]
    noticed_label: ClassVar[str] = ""
    domain_errors: ClassVar[tuple[type[Exception], ...]] = ()
    is_dangerous: ClassVar[bool] = False
    help_text: ClassVar[str] = ""
    # Whether whoever does it must have proven lately who they are.
    needs_step_up: ClassVar[bool] = False
    # The sidebar entry that the form belongs to, when its address does not tell.
    navigation_key: ClassVar[str] = ""
    template_name = "admin/confirm_form.html"
    http_method_names = ["get", "post"]

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Any:
        """What the act is done to; raises Http404 when the reader may not reach it."""
        raise NotImplementedError

    def describe(self, subject: Any) -> Any:
        """``subject`` in the words of the form, when its own name would not tell it from others."""
        return subject

    def effect(self, subject: Any, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        """What the act would change. Reads only; raises ``domain_errors`` when it would be refused."""
        raise NotImplementedError

    def perform(self, request: HttpRequest, subject: Any, cleaned_data: dict[str, Any], token: str) -> str:
        """Do it, once for each ``token``, and return the message for the reader. Raises ``domain_errors``."""
        raise NotImplementedError

    def notice(self, request: HttpRequest, subject: Any, cleaned_data: dict[str, Any]) -> str:
        """What the reader must know before they confirm, beside the effect; then ``noticed_label`` is on the button."""
        return ""

    def obstacle(self, subject: Any) -> str:
        """Why nobody can do it now, whatever is typed: then this is said in place of the form."""
        return ""

    def success_url(self, subject: Any) -> str:
        """Where the act, or giving it up, leads to."""
        raise NotImplementedError

    def get_initial(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """What the form starts with."""
        return {}

    def get_form(self, subject: Any, data: Any = None, initial: dict[str, Any] | None = None) -> forms.Form:
        """The form; override to limit its choices to ``subject``."""
        return self.form_class(data, initial=initial)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the reader may do this at all; whether to this subject, ``get_subject`` says."""
        return request.user.has_perm(self.permission_required)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission(request):
            raise PermissionDenied
        if self.needs_step_up and not step_up.is_fresh(request):
            return step_up.ask(request)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        subject = self.get_subject(request, **kwargs)
        form = self.get_form(subject, initial=self.get_initial(request, subject))
        return self._page(request, subject, form, token=str(uuid.uuid4()), obstacle=self.obstacle(subject))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        subject = self.get_subject(request, **kwargs)
        form = self.get_form(subject, data=request.POST)
        token = valid_token(request.POST.get(TOKEN_FIELD, ""))
        if token is None:
            form.add_error(None, STALE)
            return self._page(request, subject, form, token=str(uuid.uuid4()))
        step = request.POST.get(CONFIRM_FIELD, "")
        if step == "edit" or not form.is_valid():
            return self._page(request, subject, form, token=token)
        try:
            if step == "yes":
                return self._done(request, subject, form, token)
            changes = self.effect(subject, form.cleaned_data)
            notice = self.notice(request, subject, form.cleaned_data)
        except self.domain_errors as error:
            form.add_error(None, str(error))
            # A refused act did nothing: the next try is another one, and the old token may stand for one that was done.
            return self._page(request, subject, form, token=str(uuid.uuid4()) if step == "yes" else token)
        return self._page(request, subject, form, token=token, changes=changes, notice=notice)

    def _done(self, request: HttpRequest, subject: Any, form: forms.Form, token: str) -> HttpResponse:
        message = self.perform(request, subject, form.cleaned_data, token)
        tell(request, message)
        return redirect(self.success_url(subject))

    def _page(
        self,
        request: HttpRequest,
        subject: Any,
        form: forms.Form,
        *,
        token: str,
        changes: Sequence[Change] | None = None,
        notice: str = "",
        obstacle: str = "",
    ) -> HttpResponse:
        if self.navigation_key:
            set_current(request, self.navigation_key)
        if changes is None:
            _start_at(form)
        context = {
            **admin.site.each_context(request),
            "title": self.title,
            "view": self,
            "subject": subject,
            "described": self.describe(subject),
            "form": form,
            "token": token,
            "changes": changes,
            "notice": notice,
            "obstacle": obstacle,
            "is_preview": changes is not None,
            "cancel_url": self.success_url(subject),
        }
        return TemplateResponse(request, self.template_name, context)


def _start_at(form: forms.Form) -> None:
    """Let the reader write at once: in the first field, or in the first that is wrong."""
    wrong = [field for field in form.visible_fields() if field.errors]
    for field in [*wrong, *form.visible_fields()][:1]:
        field.field.widget.attrs["autofocus"] = True


def tell(request: HttpRequest, message: str) -> None:
    """Show what an act came to on the next page; beside an Undoable stands the button that takes it back."""
    level = messages.WARNING if isinstance(message, Caution) else messages.SUCCESS
    undo_url = message.undo_url if isinstance(message, Undoable) else ""
    messages.add_message(request, level, str(message), extra_tags=f"{UNDO}{undo_url}" if undo_url else "")


def undo_url_of(message: Any) -> str:
    """Where the button beside a message posts to; empty for what cannot be undone."""
    tags = message.extra_tags or ""
    return tags.removeprefix(UNDO) if tags.startswith(UNDO) else ""


def valid_token(text: str) -> str | None:
    """The token that a form of ours was made with; None for any other text."""
    try:
        token = uuid.UUID(text)
    except ValueError:
        return None
    return str(token) if token.version == 4 else None
