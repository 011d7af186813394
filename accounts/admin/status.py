"""The forms by which staff shut a customer out and let them in again, and the button that takes it back."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views import View

from accounts import services
from accounts.badges import status_badge
from accounts.errors import AccountError, WrongStatus
from accounts.models import Customer, Status, StatusChange
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView, Undoable, tell
from backoffice.lib.admin.fields import LastDayField

BAN, SUSPEND = "accounts.ban_user", "accounts.suspend_user"
OTHER, UNTIL_DAY, FOR_GOOD = "other", "day", "good"
REASONS = [
    ("", "Choose a reason"),
    ("Payment fraud", "Payment fraud"),
    ("Breaks the content rules", "Breaks the content rules"),
    ("Spam or fake account", "Spam or fake account"),
    ("Abuse of credits or trials", "Abuse of credits or trials"),
    ("Account taken over", "Account taken over"),
    ("Asked for it", "Asked for it"),
    (OTHER, "Another reason, in words below"),
]
DURATIONS = [
    ("1", "1 day"),
    ("7", "7 days"),
    ("30", "30 days"),
    (FOR_GOOD, "Until it is lifted"),
    (UNTIL_DAY, "Until the end of a day, below"),
]


class ShutOutForm(forms.Form):
    """Why and for how long; cleaned to ``reason`` and ``until`` (UTC, None: until lifted)."""

    preset = forms.ChoiceField(label="Reason", choices=REASONS)
    words = forms.CharField(
        label="In words",
        required=False,
        max_length=450,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Staff read it on the customer page and in the audit log.",
    )
    duration = forms.ChoiceField(label="For", choices=DURATIONS)
    last_day = LastDayField("The day at whose end, in your time zone, it is lifted by itself.", label="Last day")

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        words = given.get("words", "").strip()
        if given.get("preset") == OTHER and not words:
            self.add_error("words", "Say which reason.")
        if given.get("duration") == UNTIL_DAY and not given.get("last_day") and "last_day" not in self.errors:
            self.add_error("last_day", "Choose the day.")
        if given.get("duration") != UNTIL_DAY and given.get("last_day"):
            self.add_error("last_day", "Leave this empty, or choose to end it on a day.")
        said = "" if given.get("preset") == OTHER else given.get("preset", "")
        return {**given, "reason": ": ".join(filter(None, [said, words])), "until": self._until(given)}

    def _until(self, given: dict[str, Any]) -> datetime | None:
        duration = given.get("duration")
        if duration == UNTIL_DAY:
            return given.get("last_day")
        return clock.now() + timedelta(days=int(duration)) if duration and duration.isdigit() else None


class LiftForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Staff read it on the customer page and in the audit log.",
    )


class CustomerFormView(ConfirmFormView):
    """An act on one customer. The services behind it raise AccountError."""

    navigation_key = "customers"
    domain_errors = (AccountError,)

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Customer:
        customer = Customer.objects.filter(pk=kwargs["user_id"]).first()
        if customer is None:
            raise Http404("There is no such customer.")
        return customer

    def success_url(self, subject: Customer) -> str:
        return page_of(subject.pk)


class StatusView(CustomerFormView):
    act: ClassVar[Callable[..., services.StatusOutcome]]
    wanted: ClassVar[Status]

    def do(self, request: HttpRequest, subject: Customer, token: str, **told: Any) -> services.StatusOutcome:
        return type(self).act(user_id=subject.pk, actor=request.user, key=f"admin:status:{token}", **told)


class ShutOutView(StatusView):
    form_class = ShutOutForm
    is_dangerous = True
    usual_duration: ClassVar[str]
    done: ClassVar[str]

    def get_initial(self, request: HttpRequest, subject: Customer) -> dict[str, Any]:
        return {"duration": self.usual_duration}

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if subject.status == Status.BANNED and self.wanted == Status.SUSPENDED:
            raise WrongStatus("This customer is banned, which goes further.")
        was_free = subject.status == Status.ACTIVE
        spending = "accepted" if was_free else "refused"
        return [
            Change("Status", status_badge(subject.status), status_badge(self.wanted)),
            Change(
                "Until",
                display.absent() if was_free else _end(subject.status_until),
                _end(cleaned_data["until"]),
            ),
            Change("Charges", spending, f"refused ({'user_' + self.wanted})"),
            Change.told("Balance", "kept"),
            Change.told("The product", "is told"),
        ]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        outcome = self.do(request, subject, token, reason=cleaned_data["reason"], until=cleaned_data["until"])
        if outcome.change is None or outcome.replayed:
            return Caution(f"{subject.email} was {self.done} already, and nothing was done again.")
        return Undoable(f"{subject.email} is {self.done}.", undo_address(outcome.change))


class LiftView(StatusView):
    form_class = LiftForm
    wanted = Status.ACTIVE
    lifted: ClassVar[Status]

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        if subject.status != self.lifted:
            raise WrongStatus(f"This customer is {subject.get_status_display().lower()}: there is nothing to lift.")
        return [
            Change("Status", status_badge(subject.status), status_badge(Status.ACTIVE)),
            Change("Charges", "refused", "accepted"),
            Change.told("The product", "is told"),
        ]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        outcome = self.do(request, subject, token, reason=cleaned_data["reason"])
        if outcome.change is None or outcome.replayed:
            return Caution(f"{subject.email} was let in again before, and nothing was done.")
        return f"{subject.email} is let in again."


class BanView(ShutOutView):
    permission_required = BAN
    title = submit_label = "Ban customer"
    act = staticmethod(services.ban_customer)
    wanted, usual_duration, done = Status.BANNED, FOR_GOOD, "banned"


class SuspendView(ShutOutView):
    permission_required = SUSPEND
    title = submit_label = "Suspend customer"
    act = staticmethod(services.suspend_customer)
    wanted, usual_duration, done = Status.SUSPENDED, "7", "suspended"


class UnbanView(LiftView):
    permission_required = BAN
    title = submit_label = "Lift ban"
    act = staticmethod(services.unban_customer)
    lifted = Status.BANNED


class ReinstateView(LiftView):
    permission_required = SUSPEND
    title = submit_label = "Lift suspension"
    act = staticmethod(services.lift_suspension)
    lifted = Status.SUSPENDED


class UndoStatusView(View):
    """Takes a change of status back, by a POST of the button beside its message."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (request.user.has_perm(BAN) or request.user.has_perm(SUSPEND)):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, change_id: int) -> HttpResponse:
        change = StatusChange.objects.filter(pk=change_id).first()
        if change is None:
            raise Http404("There was no such change.")
        needed = BAN if Status.BANNED in (change.old, change.new) else SUSPEND
        if not request.user.has_perm(needed):
            raise PermissionDenied
        try:
            outcome = services.undo_status_change(change_id=change.pk, actor=request.user)
        except AccountError as error:
            tell(request, Caution(str(error)))
        else:
            tell(request, f"Undone: the customer is {outcome.customer.get_status_display().lower()} again.")
        return redirect(page_of(change.user_id))


def page_of(user_id: int) -> str:
    """The address of a customer's page."""
    return reverse("admin:accounts_customer_change", args=[user_id])


def undo_address(change: StatusChange) -> str:
    """Where the change is taken back."""
    return reverse("admin:accounts_customer_undo_status", args=[change.pk])


def _end(until: datetime | None) -> Any:
    return display.expiry(until) if until else "until lifted"
