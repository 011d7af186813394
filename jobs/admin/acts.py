"""What is done to a job from its page: cancel, run again, take back."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from backoffice.lib.admin.confirm import Change, ConfirmFormView
from backoffice.lib.admin.fields import ReasonField
from backoffice.lib.work import job_kinds
from jobs import selectors, services
from jobs.admin import shown
from jobs.errors import NotAllowed, WorkError, WrongState
from jobs.models import Job


@require_POST
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Stop the job where it is."""
    return _done(request, job_id, services.cancel_job, "The job stops; what it has done stays done.")


@require_POST
def run_again(request: HttpRequest, job_id: int) -> HttpResponse:
    """Go on with a job that failed."""
    return _done(request, job_id, services.retry_job, "The job goes on from where it stopped.")


def _done(request: HttpRequest, job_id: int, act: Callable[..., Job], message: str) -> HttpResponse:
    job = shown.visible(request, job_id)
    try:
        act(job_id=job.pk, actor=request.user)
    except NotAllowed as error:
        raise PermissionDenied from error
    except WorkError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, message)
    return redirect(shown.page_of(job))


class UndoForm(forms.Form):
    reason = ReasonField()


class UndoView(ConfirmFormView):
    permission_required = ""
    form_class = UndoForm
    title = "Undo job"
    submit_label = "Undo"
    is_dangerous = True
    navigation_key = "jobs"
    domain_errors = (WorkError,)
    help_text = "A job of its own takes back what this one did, as far as that can be. What it refused stays as it is."

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Each kind of work asks for its own permission; the job itself must be open to the reader first.
        job = shown.visible(request, kwargs["job_id"])
        kind = job_kinds.get(job.kind)
        if kind is None or not kind.undo:
            raise Http404("This job cannot be undone.")
        self.permission_required = kind.permission
        return super().dispatch(request, *args, **kwargs)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Job:
        return shown.visible(request, kwargs["job_id"])

    def describe(self, subject: Job) -> str:
        return f"{shown.kind_label(subject)}, job {subject.pk}"

    def effect(self, subject: Job, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if not selectors.is_undoable(subject):
            raise WrongState("Nothing of this job is left to undo.")
        kind = job_kinds.get(subject.kind)
        count = subject.done - subject.refused
        changes = [Change.told("Taken back", f"{count:,} {kind.targets if kind else ''}")]
        return [*changes, *(kind.undo_effect(subject.pk) if kind and kind.undo_effect else ())]

    def perform(self, request: HttpRequest, subject: Job, cleaned_data: dict[str, Any], token: str) -> str:
        undoing = services.undo_job(job_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        subject.undone_by = undoing
        return f"Job {undoing.pk} takes back what job {subject.pk} did."

    def success_url(self, subject: Job) -> str:
        return shown.page_of(getattr(subject, "undone_by", subject))
