"""The ledger on the customer page: the latest entries, by kind and by day if wanted, as a file, each with its undo."""

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer
from backoffice.lib.admin.fields import DayField
from credits import selectors, undoing
from credits.exports import TRANSACTIONS
from credits.kinds import TransactionKind

SHOWN_ENTRIES = 15
KINDS = [("", "All kinds"), *TransactionKind.choices]


class LedgerFilter(forms.Form):
    """What the panel is narrowed to, from the address of the page. What cannot be read narrows nothing."""

    prefix = "ledger"
    kind = forms.ChoiceField(choices=KINDS, required=False)
    first = DayField(label="From", required=False)
    last = DayField(label="To", required=False)

    def asked(self, name: str) -> Any:
        return self.cleaned_data.get(name) or None

    def moments(self) -> tuple[datetime | None, datetime | None]:
        """The start of the first day, and the end of the last, in the reader's zone."""
        last = self.asked("last")
        return _start_of(self.asked("first")), _start_of(last + timedelta(days=1)) if last else None

    def query(self, customer: Customer) -> str:
        """The same narrowing in the address of the ledger's list."""
        given = {
            "account__exact": customer.pk,
            "kind__exact": self.asked("kind"),
            "created_at_from": self.asked("first"),
            "created_at_to": self.asked("last"),
        }
        return urlencode({name: value for name, value in given.items() if value})


def context(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """What the panel shows."""
    form = LedgerFilter(request.GET)
    form.is_valid()
    start, end = form.moments()
    entries = list(selectors.ledger_of(customer.pk, kind=form.asked("kind"), start=start, end=end)[: SHOWN_ENTRIES + 1])
    query = form.query(customer)
    standings = undoing.standings(request.user, entries[:SHOWN_ENTRIES])
    export = reverse("admin:credits_credittransaction_export", args=[TRANSACTIONS.key])
    return {
        "form": form,
        "is_narrowed": bool(form.cleaned_data and any(form.cleaned_data.values())),
        "entries": [(entry, standings.get(entry.pk)) for entry in entries[:SHOWN_ENTRIES]],
        "more_url": f"{_list_address()}?{query}" if len(entries) > SHOWN_ENTRIES else "",
        "export_url": f"{export}?{query}" if request.user.has_perm(TRANSACTIONS.permission) else "",
    }


def whole(customer: Customer) -> str:
    """The address of a customer's whole ledger."""
    return f"{_list_address()}?account__exact={customer.pk}"


def _list_address() -> str:
    return reverse("admin:credits_credittransaction_changelist")


def _start_of(day: Any) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
