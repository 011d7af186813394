"""The form by which staff have a customer asked for a new password."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import services
from accounts.admin.status import CustomerFormView, LiftForm
from accounts.errors import WrongStatus
from accounts.models import Customer, ResetWay
from accounts.services.resets import way_for
from backoffice.lib.admin.confirm import Caution, Change

WAYS = {
    ResetWay.PRODUCT: "The product is told, and asks them for a new one",
    ResetWay.MAIL: "A link to choose a new one is mailed to them",
}


class ResetPasswordView(CustomerFormView):
    permission_required = "accounts.reset_password"
    form_class = LiftForm
    title = submit_label = "Reset password"
    help_text = "Nobody here sees a password, the old or the new."

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if not subject.is_active:
            raise WrongStatus("This customer is shut out: let them in again first.")
        way = way_for(subject)
        if way == ResetWay.MAIL and not settings.EMAIL_URL:
            raise WrongStatus("No mail can be sent from here: EMAIL_URL is not set.")
        return [Change("Their password", "as it is", WAYS[way])]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        outcome = services.request_password_reset(
            user_id=subject.pk,
            reason=cleaned_data["reason"],
            actor=request.user,
            key=f"admin:reset:{token}",
            origin=request.build_absolute_uri("/"),
        )
        if outcome.replayed:
            return Caution("This was asked for before, and nothing was done again.")
        return f"Done: {WAYS[ResetWay(outcome.request.way)][0].lower()}{WAYS[ResetWay(outcome.request.way)][1:]}."
