"""The page of one job, and the part of it that asks for itself while the job is under way."""

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from backoffice.lib.background import background
from backoffice.lib.work import job_kinds
from jobs import selectors, services
from jobs.admin import shown
from jobs.models import Job, JobState
from jobs.models.work import UNFINISHED
from jobs.services.results import open_result

# A listener is told at each quarter and at the end, not every two seconds.
TOLD_STEPS = 4


def live(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Context of the part that changes while the job runs."""
    kind = job_kinds.get(job.kind)
    is_own = job.actor_id == request.user.pk or request.user.is_superuser
    undone_by = getattr(job, "undone_by", None)
    after = request.GET.get("refused_after", "")
    refused = shown.refused_lines(job, after=shown.id_in(after))
    return {
        "job": job,
        "badge": shown.state_badge(job),
        "how_far": shown.how_far(job),
        "said": shown.said(job),
        "trace": shown.trace(job),
        "step": _step(job),
        "is_unfinished": job.state in UNFINISHED,
        "may_cancel": is_own and job.state in UNFINISHED and not job.cancel_requested,
        "may_retry": is_own
        and job.state == JobState.FAILED
        and undone_by is None
        and kind is not None
        and request.user.has_perm(kind.permission),
        "may_undo": selectors.may_undo(request.user, job),
        "may_download": selectors.result_is_there(request.user, job),
        "had_result": bool(job.result_name),
        "undone_by": undone_by,
        "waits_for": _request_about(job),
        "refused": refused[: shown.MOST_REFUSED],
        "refused_next": refused[shown.MOST_REFUSED - 1].target_id if len(refused) > shown.MOST_REFUSED else None,
    }


def _step(job: Job) -> str:
    return f"{job.state}-{(job.percent or 0) * TOLD_STEPS // 100}"


def _request_about(job: Job) -> Any:
    if job.state != JobState.WAITING:
        return None
    return selectors.pending_about(resource_type=selectors.JOB, resource_id=str(job.pk)).first()


@background
@require_GET
def progress(request: HttpRequest, job_id: int) -> HttpResponse:
    """The part that changes, and what to say of it if that was not said yet (``told`` is the last step that was)."""
    context = live(request, shown.visible(request, job_id))
    context["is_news"] = request.GET.get("told") != context["step"]
    return TemplateResponse(request, "jobs/includes/live.html", context)


@require_POST
def download(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """The result as a file, as long as it is kept and the reader may still have it."""
    job = shown.visible(request, job_id)
    if not selectors.result_is_there(request.user, job):
        return _gone(request, job)
    try:
        file = open_result(job)
    except FileNotFoundError:
        return _gone(request, job)
    services.note_download(job=job, actor=request.user)
    answer = FileResponse(file, as_attachment=True, filename=job.result_name)
    answer["Cache-Control"] = "no-store"
    return answer


def _gone(request: HttpRequest, job: Job) -> HttpResponse:
    kind = job_kinds.get(job.kind)
    is_forbidden = kind is None or not request.user.has_perm(kind.permission)
    context = {"job": job, "page": shown.page_of(job), "is_forbidden": is_forbidden}
    status = 403 if is_forbidden else 410 if job.result_name else 404
    return TemplateResponse(request, "jobs/no_result.html", context, status=status)
