"""The form by which staff have an event processed once more."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.admin.fields import ReasonField
from backoffice.lib.work import JobKind, job_kinds
from billing.badges import state_badge
from billing.errors import NotReplayable, ReasonMissing
from billing.models import EventState, StripeEvent
from billing.services.replay import REPLAYABLE, REPLAYABLE_TOGETHER, replay_event, replay_many
from jobs import services as jobs
from jobs.errors import WorkError
from jobs.models import Job, JobState
from jobs.selectors import job_seen_by

REPLAY = "billing.replay_stripeevent"
REPLAY_MANY = "billing.replay_events"
# So many types of what was chosen are named.
SHOWN_TYPES = 5


class ReplayForm(forms.Form):
    reason = ReasonField("What was set right meanwhile. Kept in the audit log.")


class ReplayView(ConfirmFormView):
    permission_required = REPLAY
    form_class = ReplayForm
    title = "Replay event"
    submit_label = "Replay"
    domain_errors = (NotReplayable, ReasonMissing)
    help_text = "The event is processed once more, as it came. A payment that is booked is not booked again."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> StripeEvent:
        event = StripeEvent.objects.defer("body", "payload").filter(pk=kwargs["event_id"]).first()
        if event is None:
            raise Http404("There is no such event.")
        return event

    def effect(self, subject: StripeEvent, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if subject.state not in REPLAYABLE:
            raise NotReplayable(subject.get_state_display().lower())
        return [Change("State", state_badge(subject.state), "processed once more, at once")]

    def perform(self, request: HttpRequest, subject: StripeEvent, cleaned_data: dict[str, Any], token: str) -> str:
        event = replay_event(event_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        if event.state == EventState.PROCESSED:
            return "The event has taken effect."
        return Caution(f"The event is {event.get_state_display().lower()}: {event.error}")

    def success_url(self, subject: StripeEvent) -> str:
        return reverse("admin:billing_stripeevent_change", args=[subject.pk])


class ReplayManyView(ConfirmFormView):
    """Of a drafted job, whose targets are the events that were chosen in the list."""

    permission_required = REPLAY
    form_class = ReplayForm
    title = "Replay events"
    submit_label = "Replay"
    navigation_key = "billing-stripeevent"
    domain_errors = (WorkError,)
    help_text = "Each is processed once more, as it came. A payment that is booked is not booked again."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Job:
        job = job_seen_by(request.user, kwargs["job_id"])
        if job is None or job.kind != REPLAY_MANY or job.actor_id != request.user.pk:
            raise Http404("There is no such draft.")
        return job

    def describe(self, subject: Job) -> str:
        return "1 event" if subject.total == 1 else f"{subject.total or 0:,} events"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        job = self.get_subject(request, **kwargs)
        return super().get(request, **kwargs) if job.state == JobState.DRAFT else redirect(self.success_url(job))

    def effect(self, subject: Job, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        chosen = StripeEvent.objects.filter(pk__in=subject.items.values("target_id"))
        waiting = chosen.filter(state__in=REPLAYABLE_TOGETHER).exclude(body=b"")
        counted = waiting.values_list("type").annotate(count=Count("pk")).order_by("-count", "type")
        doable = sum(count for _, count in counted)
        changes = [Change(f"{count:,} {kind}", "parked or failed", "processed once more") for kind, count in counted]
        if more := sum(count for _, count in counted[SHOWN_TYPES:]):
            changes = [*changes[:SHOWN_TYPES], Change.told("Of other types", f"{more:,}")]
        if left := (subject.total or 0) - doable:
            changes.append(Change.told("Left out", f"{left:,} that need no replay, or whose content was removed"))
        return changes

    def perform(self, request: HttpRequest, subject: Job, cleaned_data: dict[str, Any], token: str) -> str:
        job = jobs.start_draft(job_id=subject.pk, actor=request.user, params={}, reason=cleaned_data["reason"])
        subject.state = job.state
        return f"The events are handed to the workers by job {job.pk}. What became of each stands in the list."

    def success_url(self, subject: Job) -> str:
        if subject.state == JobState.DRAFT:
            return reverse("admin:billing_stripeevent_changelist")
        return reverse("admin:jobs_job_change", args=[subject.pk])


@admin.action(description="Replay", permissions=["replay"])
def replay_chosen(model_admin: Any, request: HttpRequest, events: QuerySet[StripeEvent]) -> HttpResponse:
    """Fix which events were chosen, and go on to the form."""
    job = jobs.draft_job(kind=REPLAY_MANY, actor=request.user, targets=events)
    return redirect("admin:billing_stripeevent_replay_many", job.pk)


def register() -> None:
    """Called once, from the app's offers."""
    job_kinds.register(
        JobKind(
            key=REPLAY_MANY,
            label="Replay Stripe events",
            permission=REPLAY,
            do=replay_many,
            targets="Stripe events",
            at_once=50,
        )
    )
