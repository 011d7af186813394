"""Jobs in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.selectors import is_id
from backoffice.lib.admin import display
from backoffice.lib.work import job_kinds
from jobs import selectors
from jobs.models import Job, JobState

TONES: dict[str, display.Tone] = {
    JobState.DRAFT: "mute",
    JobState.WAITING: "warn",
    JobState.QUEUED: "info",
    JobState.RUNNING: "info",
    JobState.DONE: "ok",
    JobState.FAILED: "bad",
    JobState.CANCELED: "mute",
}
MOST_REFUSED = 50


def visible(request: HttpRequest, job_id: int) -> Job:
    """The job, if the reader may open it. Raises Http404, as for a job that does not exist."""
    job = selectors.job_seen_by(request.user, job_id)
    if job is None:
        raise Http404("There is no such job.")
    return job


def id_in(text: str) -> int:
    """The id that an address holds; 0, which nothing has, for any other text."""
    return int(text) if is_id(text) else 0


def page_of(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])


def state_badge(job: Job) -> SafeString:
    return display.badge(job.get_state_display(), TONES[job.state])


def kind_label(job: Job) -> str:
    """What sort of work it is; the key of one that no app offers any more."""
    kind = job_kinds.get(job.kind)
    return kind.label if kind else job.kind


def how_far(job: Job) -> str:
    """``40 of 100, 3 refused``, or ``40`` while nobody knows of how many."""
    counted = f"{job.done:,}" if job.total is None else f"{job.done:,} of {job.total:,}"
    return f"{counted}, {job.refused:,} refused" if job.refused else counted


def said(job: Job) -> str:
    """How it stands, for who listens to the page instead of looking at it."""
    return f"{kind_label(job)}: {job.get_state_display()}, {how_far(job)}"


def words(job: Job) -> list[tuple[str, Any]]:
    """What was asked for, as labels and values."""
    kind = job_kinds.get(job.kind)
    if kind and kind.words:
        return list(kind.words(job.params))
    return [(key.replace("_", " ").capitalize(), value) for key, value in job.params.items()]


def trace(job: Job) -> tuple[str, str] | None:
    """Where what it has done so far can be looked at, as text and address."""
    kind = job_kinds.get(job.kind)
    return kind.trace(job.pk) if kind and kind.trace and job.done else None


@dataclass(frozen=True)
class RefusedLine:
    """A target that was left as it was, and why."""

    target_id: int
    who: Any
    note: str


def refused_lines(job: Job, *, after: int = 0) -> list[RefusedLine]:
    """Who was refused, with a link to each; one more than a page shows. Two queries, or none."""
    if not job.refused:
        return []
    items = list(selectors.refused_items(job, after=after)[: MOST_REFUSED + 1])
    kind, ids = job_kinds.get(job.kind), [item.target_id for item in items]
    people = User.objects.only("email").in_bulk(ids) if kind and kind.targets == "customers" else {}
    return [RefusedLine(item.target_id, _who(item.target_id, people), item.note) for item in items]


def _who(target_id: int, people: Mapping[int, User]) -> Any:
    person = people.get(target_id)
    if person is None:
        return f"{target_id}"
    return display.link(reverse("admin:accounts_customer_change", args=[target_id]), person)
