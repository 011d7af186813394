"""The form by which staff have an event processed once more."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse

from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.admin.fields import ReasonField
from billing.badges import state_badge
from billing.errors import NotReplayable, ReasonMissing
from billing.models import EventState, StripeEvent
from billing.services.replay import REPLAYABLE, replay_event


class ReplayForm(forms.Form):
    reason = ReasonField("What was set right meanwhile. Kept in the audit log.")


class ReplayView(ConfirmFormView):
    permission_required = "billing.replay_stripeevent"
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
