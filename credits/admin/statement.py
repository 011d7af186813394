"""The statement of a customer, as a file to send them."""

from collections.abc import Generator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views import View

from accounts.models import Customer
from audit import services as audit
from audit.actions import Action
from backoffice.lib import csv
from backoffice.lib.admin.fields import DayField
from backoffice.lib.admin.navigation import set_current
from backoffice.lib.api.values import iso, plain_decimal
from backoffice.lib.csv import Column, PlainNumber, UtcText
from credits import selectors
from credits.selectors import Statement

PERMISSION = "credits.export_statement"
COLUMNS = (
    Column("Number", "seq"),
    Column("Date", UtcText(F("created_at"))),
    Column("Type", "kind"),
    Column("Description", "description"),
    Column("Reference", "reference"),
    Column("Amount", PlainNumber(F("amount"))),
    Column("Balance", PlainNumber(F("balance_after"))),
)


class PeriodForm(forms.Form):
    """From one day to another, both included, in the reader's time zone; cleaned to ``start`` and ``end``."""

    first = DayField(label="From")
    last = DayField(label="Until the end of")

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        first, last = given.get("first"), given.get("last")
        if first is None or last is None:
            return given
        if first > last:
            self.add_error("last", "The last day lies before the first.")
        if last > timezone.localdate():
            self.add_error("last", "Choose days until today.")
        return {**given, "start": _start_of(first), "end": _start_of(last + timedelta(days=1))}


class StatementView(View):
    """GET asks for the period; POST answers with the file."""

    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, user_id: int) -> HttpResponse:
        first = (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=1)
        return self._page(
            request, _customer(user_id), PeriodForm(initial={"first": first, "last": timezone.localdate()})
        )

    def post(self, request: HttpRequest, user_id: int) -> HttpResponseBase:
        customer, form = _customer(user_id), PeriodForm(request.POST)
        if not form.is_valid():
            return self._page(request, customer, form)
        start, end = form.cleaned_data["start"], form.cleaned_data["end"]
        with transaction.atomic():
            audit.record(
                action=Action.STATEMENT_EXPORTED,
                actor=request.user,
                resource=audit.Resource.of(customer),
                new_values={"from": iso(start), "until": iso(end)},
            )
        statement = selectors.statement_of(user_id=customer.pk, start=start, end=end)
        days = f"{form.cleaned_data['first']:%Y-%m-%d}_{form.cleaned_data['last']:%Y-%m-%d}"
        return csv.response_of(lines(statement, start, end), f"statement_{customer.pk}_{days}.csv")

    def _page(self, request: HttpRequest, customer: Customer, form: forms.Form) -> HttpResponse:
        set_current(request, "customers")
        context = {
            **admin.site.each_context(request),
            "title": "Statement",
            "customer": customer,
            "form": form,
            "cancel_url": reverse("admin:accounts_customer_change", args=[customer.pk]),
        }
        return TemplateResponse(request, "credits/statement.html", context)


def lines(statement: Statement, start: datetime, end: datetime) -> Generator[bytes, None, None]:
    """The file: the balance before, the entries, the balance after."""
    chunks = csv.stream(statement.entries, COLUMNS)
    yield next(chunks)  # The heads of the columns.
    yield f",{iso(start)},Opening balance,,,,{plain_decimal(statement.opening)}\n".encode()
    yield from chunks
    yield f",{iso(end)},Closing balance,,,,{plain_decimal(statement.closing)}\n".encode()


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _customer(user_id: int) -> Customer:
    customer = Customer.objects.filter(pk=user_id).first()
    if customer is None:
        raise Http404("There is no such customer.")
    return customer
