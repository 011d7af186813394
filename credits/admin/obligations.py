"""Holds and debts as staff read them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from backoffice.lib.admin import display
from backoffice.lib.admin.filters import DateRangeFilter
from credits import selectors
from credits.admin import links
from credits.admin.evidence import LedgerEvidenceAdmin
from credits.models import CreditDebt, CreditHold


@admin.register(CreditHold)
class CreditHoldAdmin(LedgerEvidenceAdmin):
    list_display = ("when", "customer", "amount_shown", "state_shown", "reference", "expires", "captured_shown")
    list_filter = ("state", ("created_at", DateRangeFilter))
    search_fields = ("reference",)
    search_help_text = "Email of the customer, an exact reference, or the number of a hold"
    exact_reference = "reference"
    empty_hint = "The product holds credits while work is running. Place one through the API to see the first one here."
    fields = (
        "id",
        "customer",
        "amount_shown",
        "state_shown",
        "reference",
        "expires",
        "captured_shown",
        "entry",
        "when",
        "closed",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditHold]:
        return selectors.holds()

    @admin.display(description="Placed", ordering="created_at")
    def when(self, hold: CreditHold) -> str:
        return display.moment(hold.created_at)

    @admin.display(description="Customer")
    def customer(self, hold: CreditHold) -> str:
        return links.to_customer(hold)

    @admin.display(description="Held")
    def amount_shown(self, hold: CreditHold) -> str:
        return display.credits(hold.amount)

    @admin.display(description="State")
    def state_shown(self, hold: CreditHold) -> str:
        return links.state_badge(hold)

    @admin.display(description="Expires")
    def expires(self, hold: CreditHold) -> str:
        return display.expiry(hold.expires_at)

    @admin.display(description="Captured")
    def captured_shown(self, hold: CreditHold) -> str:
        return display.credits(hold.captured)

    @admin.display(description="Captured by")
    def entry(self, hold: CreditHold) -> str:
        return links.to_entry(hold.transaction) if hold.transaction else display.absent()

    @admin.display(description="Closed")
    def closed(self, hold: CreditHold) -> str:
        return display.moment(hold.closed_at)


class PaidFilter(admin.SimpleListFilter):
    """Whether a debt is still owed."""

    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "owed"), ("paid", "paid")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "open":
            return queryset.filter(remaining__gt=0)
        return queryset.filter(remaining=0) if self.value() == "paid" else queryset


@admin.register(CreditDebt)
class CreditDebtAdmin(LedgerEvidenceAdmin):
    list_display = ("when", "customer", "amount_shown", "owed", "state_shown", "entry")
    list_filter = (PaidFilter, ("created_at", DateRangeFilter))
    search_fields = ("transaction__reference",)
    search_help_text = "Email of the customer, the exact reference of the clawback, or the number of a debt"
    exact_reference = "transaction__reference"
    empty_hint = "Credits that were spent before their payment was taken back are owed here. Nobody owes any: good."
    fields = ("id", "customer", "amount_shown", "owed", "state_shown", "entry", "payments", "when")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditDebt]:
        return selectors.debts()

    @admin.display(description="Since", ordering="created_at")
    def when(self, debt: CreditDebt) -> str:
        return display.moment(debt.created_at)

    @admin.display(description="Customer")
    def customer(self, debt: CreditDebt) -> str:
        return links.to_customer(debt)

    @admin.display(description="Debt")
    def amount_shown(self, debt: CreditDebt) -> str:
        return display.credits(debt.amount)

    @admin.display(description="Owed")
    def owed(self, debt: CreditDebt) -> str:
        return display.credits(debt.remaining)

    @admin.display(description="State")
    def state_shown(self, debt: CreditDebt) -> str:
        return display.badge("Owed", "bad") if debt.remaining else display.badge("Paid", "ok")

    @admin.display(description="Left by")
    def entry(self, debt: CreditDebt) -> str:
        return links.to_entry(debt.transaction)

    @admin.display(description="Paid by")
    def payments(self, debt: CreditDebt) -> str:
        lines = ((links.draw_line(draw),) for draw in selectors.payments_of(debt)[:100])
        return format_html_join("", "{}", lines) or display.absent()
