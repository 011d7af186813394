"""From the chosen customers to the job: the form of a bulk act, its effect, and its beginning."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.work import BulkAction, bulk_actions
from jobs import selectors, services
from jobs.admin import shown
from jobs.admin.approvable import NOTICED_FIELD
from jobs.errors import WorkError
from jobs.models import Job, JobState

NAMED = 3


def begin(request: HttpRequest, action: BulkAction, targets: QuerySet[Any]) -> HttpResponse:
    """Fix whom a bulk act is for, and go on to its form."""
    job = services.draft_job(kind=action.key, actor=request.user, targets=targets)
    return redirect("admin:jobs_job_prepare", job.pk)


def effect_of(job: Job, action: BulkAction, params: Mapping[str, Any]) -> list[Change]:
    """Who and how many, who would be left out, and what would happen to the others. Reads only."""
    now = selectors.split(job, action.refusals)
    changes = [Change.told("Customers", _who(now))]
    changes += [Change.told("Left out", f"{count:,} {words}") for words, count in now.refused]
    return changes + list(action.effect(now.doable, now.doable_count, params))


def _who(now: selectors.Split) -> str:
    named = [customer.get_full_name() for customer in now.doable.order_by("pk")[:NAMED]]
    more = now.doable_count - len(named)
    return f"{now.doable_count:,}: {', '.join(named)}{f' and {more:,} more' if more else ''}" if named else "none"


class PrepareView(ConfirmFormView):
    """Of a drafted job; whatever it is to do comes from the act that it was drafted for."""

    permission_required = ""
    noticed_label = "Request approval"
    navigation_key = "customers"
    domain_errors = (WorkError,)
    template_name = "jobs/prepare.html"
    action: BulkAction

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        job = shown.visible(request, kwargs["job_id"])
        action = bulk_actions.get(job.kind)
        if action is None or job.actor_id != request.user.pk:
            raise Http404("There is no such draft.")
        if job.state != JobState.DRAFT:
            # A second click, or a page that was left open: what came of it is on the job's page.
            return redirect(shown.page_of(job))
        self.action, self.permission_required, self.form_class = action, action.permission, action.form
        self.title = self.submit_label = action.label
        self.help_text, self.is_dangerous = action.help_text, action.is_dangerous
        return super().dispatch(request, *args, **kwargs)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Job:
        return shown.visible(request, kwargs["job_id"])

    def describe(self, subject: Job) -> str:
        return "1 customer" if subject.total == 1 else f"{subject.total or 0:,} customers"

    def effect(self, subject: Job, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        return effect_of(subject, self.action, self.action.params(cleaned_data))

    def notice(self, request: HttpRequest, subject: Job, cleaned_data: dict[str, Any]) -> str:
        use = services.use_of(subject, self.action.params(cleaned_data))
        exceeded = use and selectors.excess(staff=request.user, verb=use.verb, amount=use.amount, largest=use.largest)
        return f"{exceeded} A second person has to allow this: you can ask for it." if exceeded else ""

    def perform(self, request: HttpRequest, subject: Job, cleaned_data: dict[str, Any], token: str) -> str:
        # What is done once is the draft itself: its job begins, or is asked for, a single time.
        given = {"params": self.action.params(cleaned_data), "reason": cleaned_data["reason"]}
        if request.POST.get(NOTICED_FIELD) == "yes":
            approval = services.request_bulk(job_id=subject.pk, actor=request.user, **given)
            subject.state = JobState.WAITING
            return Caution(f"Request {approval.pk} waits for a second person. Nothing has changed yet.")
        subject.state = services.start_bulk(job_id=subject.pk, actor=request.user, **given).state
        return f"{self.action.label}: job {subject.pk} has begun."

    def success_url(self, subject: Job) -> str:
        if subject.state == JobState.DRAFT:
            return reverse("admin:accounts_customer_changelist")
        return shown.page_of(subject)
