"""Explain this balance: a page for one customer, and the balance at a moment of the past."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views import View

from accounts.models import Customer
from accounts.selectors import is_id
from backoffice.lib import clock
from backoffice.lib.admin.navigation import set_current
from credits import selectors
from credits.admin.links import SEE_LEDGER
from credits.selectors import explain


class MomentField(forms.CharField):
    """A time on the reader's clock; cleaned to the moments it may mean: two in the hour that clocks repeat."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})

    def clean(self, value: Any) -> list[datetime]:
        text = super().clean(value)
        try:
            local = datetime.fromisoformat(text)
        except ValueError as error:
            raise forms.ValidationError("Give a day and a time, such as 2026-06-30T18:00.") from error
        if local.tzinfo is not None or not 1970 <= local.year <= 9000:
            raise forms.ValidationError("Give a day and a time since 1970, without a time zone.")
        zone = timezone.get_current_timezone()
        moments = sorted({local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)})
        found = [datetime.fromtimestamp(moment, tz=zone) for moment in moments]
        # The hour that clocks jump over: neither reading of it shows this time.
        if all(moment.replace(tzinfo=None, fold=0) != local for moment in found):
            raise forms.ValidationError("There was no such time: the clocks went forward over it.")
        if found[0] > clock.now():
            raise forms.ValidationError("This time is yet to come: choose one of the past.")
        return [moment for moment in found if moment <= clock.now()]


class MomentForm(forms.Form):
    at = MomentField(label="At", error_messages={"required": "Choose a day and a time."})


class ExplainView(View):
    """GET alone, since nothing is changed. Wrap it in ``site.admin_view``."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, user_id: int) -> HttpResponse:
        if not request.user.has_perm(SEE_LEDGER):
            raise PermissionDenied
        customer = Customer.objects.filter(pk=user_id).first()
        if customer is None:
            raise Http404("There is no such customer.")
        set_current(request, "customers")
        context = {**admin.site.each_context(request), "title": "Explain this balance", "customer": customer}
        return TemplateResponse(
            request, "credits/explain.html", context | _sums(request, user_id) | _past(request, user_id)
        )


def _sums(request: HttpRequest, user_id: int) -> dict[str, Any]:
    now = clock.now()
    total, account = explain.explain(user_id, now=now)
    return {
        "now": now,
        "sum": total,
        "open_lots": explain.open_lots_page(account, after=_number(request, "open")),
        "closed_lots": explain.closed_lots_page(user_id, before=_number(request, "closed")),
        "holds": explain.open_holds(user_id, now=now),
        "debts": explain.debt_lines(user_id),
    }


def _past(request: HttpRequest, user_id: int) -> dict[str, Any]:
    """The balance at the moment that was asked for, if one was."""
    if "at" not in request.GET:
        return {"form": MomentForm(label_suffix="")}
    form = MomentForm(request.GET, label_suffix="")
    moments = form.cleaned_data["at"] if form.is_valid() else []
    answers = [
        (at, entry.balance_after if entry else selectors.ZERO, entry) for at, entry in _entries(user_id, moments)
    ]
    return {"form": form, "answers": answers}


def _entries(user_id: int, moments: list[datetime]) -> list[tuple[datetime, Any]]:
    return [(at, explain.last_entry(user_id, at=at)) for at in moments]


def _number(request: HttpRequest, name: str) -> int | None:
    """A lot's id of the address; whatever else stands there is as if it were not."""
    text = request.GET.get(name, "")
    return int(text) if is_id(text) else None
