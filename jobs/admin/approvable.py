"""Confirm forms of acts that have limits: above them, the act becomes a request to a second person."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.http import HttpRequest

from backoffice.lib.admin.confirm import Caution, ConfirmFormView
from jobs import selectors
from jobs.errors import WorkError
from jobs.services import request_approval

NOTICED_FIELD = "noticed"


class ApprovableFormView(ConfirmFormView):
    """A confirm form whose act counts against a limit. Above it, the form asks for an approval instead.

    ``act`` takes the place of ``perform``. The reader is told before they confirm; should a limit be used up in
    between, the form says so and nothing is done. Act and request have one key, of which ``key_name`` is a part: a form
    that is sent both ways, or twice, is either done or asked for, and once.
    """

    domain_errors = (WorkError,)
    verb: ClassVar[str]
    limited_verb: ClassVar[str]
    key_name: ClassVar[str]
    noticed_label = "Request approval"

    def act(self, request: HttpRequest, subject: Any, cleaned_data: dict[str, Any], key: str) -> str:
        """Do it, once for each ``key``, and count it under that. Raises LimitExceeded, ``domain_errors``."""
        raise NotImplementedError

    def amount(self, subject: Any, cleaned_data: dict[str, Any]) -> Decimal:
        """What counts against the limit, in the verb's unit."""
        raise NotImplementedError

    def approval_params(self, subject: Any, cleaned_data: dict[str, Any]) -> Mapping[str, Any]:
        """What the verb needs to be done later; fits JSON."""
        raise NotImplementedError

    def resource(self, subject: Any) -> tuple[str, str]:
        """Type and id of what the act is about."""
        raise NotImplementedError

    def notice(self, request: HttpRequest, subject: Any, cleaned_data: dict[str, Any]) -> str:
        exceeded = selectors.excess(
            staff=request.user, verb=self.limited_verb, amount=self.amount(subject, cleaned_data)
        )
        return f"{exceeded} A second person has to allow this: you can ask for it." if exceeded else ""

    def perform(self, request: HttpRequest, subject: Any, cleaned_data: dict[str, Any], token: str) -> str:
        key = f"admin:{self.key_name}:{token}"
        if request.POST.get(NOTICED_FIELD) != "yes":
            asked = selectors.request_made_with(key)
            if asked is not None:
                # Whatever is left of the limit by now: what a second person may still allow is not done beside it.
                return Caution(f"Request {asked.pk} was made by this form before. Nothing was done beside it.")
            return self.act(request, subject, cleaned_data, key)
        approval = request_approval(
            verb=self.verb,
            params=self.approval_params(subject, cleaned_data),
            amount=self.amount(subject, cleaned_data),
            resource=self.resource(subject),
            actor=request.user,
            reason=cleaned_data["reason"],
            token=key,
        )
        return Caution(f"Request {approval.pk} waits for a second person. Nothing has changed yet.")
