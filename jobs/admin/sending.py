"""The forms by which staff have one message, or all that an outage left, sent once more."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse

from backoffice.lib import clock
from backoffice.lib.admin import widgets
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView
from backoffice.lib.admin.fields import ReasonField
from jobs import selectors, services
from jobs.badges import message_badge
from jobs.errors import WorkError
from jobs.models import MessageState, OutboxMessage

RETRY = "jobs.retry_message"
USUAL_SINCE = timedelta(days=1)


class WhyForm(forms.Form):
    reason = ReasonField(required=False)


class SendAgainView(ConfirmFormView):
    permission_required = RETRY
    form_class = WhyForm
    title = submit_label = "Send again"
    navigation_key = "messages"
    domain_errors = (WorkError,)
    help_text = "It keeps its number, by which the receiver can tell that it has it already."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> OutboxMessage:
        message = selectors.messages().defer("body", "payload").filter(pk=kwargs["message_id"]).first()
        if message is None:
            raise Http404("There is no such message.")
        return message

    def effect(self, subject: OutboxMessage, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        return [Change("State", message_badge(subject.state), "sent once more, at once")]

    def perform(self, request: HttpRequest, subject: OutboxMessage, cleaned_data: dict[str, Any], token: str) -> str:
        services.send_again(message_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        return "A worker sends it now. What is answered appears here."

    def success_url(self, subject: OutboxMessage) -> str:
        return reverse("admin:jobs_outboxmessage_change", args=[subject.pk])


class SendAllForm(WhyForm):
    state = forms.ChoiceField(
        label="Which",
        choices=[(MessageState.DEAD, "Given up"), (MessageState.UNCONFIGURED, "Not configured when it was their turn")],
    )
    since = forms.DateTimeField(
        label="Written since",
        widget=widgets.DateTimeInput,
        help_text="What is older may surprise whoever gets it now.",
    )
    field_order = ("state", "since", "reason")


class SendAllAgainView(ConfirmFormView):
    permission_required = RETRY
    form_class = SendAllForm
    title = submit_label = "Send all again"
    navigation_key = "messages"
    domain_errors = (WorkError,)
    help_text = "For after an outage, or once a channel has got its address."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> str:
        return "All messages"

    def describe(self, subject: str) -> str:
        return "all messages of a state"

    def get_initial(self, request: HttpRequest, subject: str) -> dict[str, Any]:
        return {"since": clock.now() - USUAL_SINCE}

    def effect(self, subject: str, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        count = selectors.messages_to_send_again(state=cleaned_data["state"], since=cleaned_data["since"]).count()
        return [Change("Messages", message_badge(cleaned_data["state"]), f"{count:,} sent once more")]

    def perform(self, request: HttpRequest, subject: str, cleaned_data: dict[str, Any], token: str) -> str:
        count = services.send_all_again(
            state=cleaned_data["state"],
            since=cleaned_data["since"],
            actor=request.user,
            reason=cleaned_data["reason"],
        )
        if not count:
            return Caution("There was nothing to send again.")
        return f"Workers send {count:,} messages now."

    def success_url(self, subject: str) -> str:
        return reverse("admin:jobs_outboxmessage_changelist")
