"""Lots as staff read them: what came in together, and what drew on it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.filters import DateRangeFilter
from credits import selectors
from credits.admin import links
from credits.admin.evidence import LedgerEvidenceAdmin
from credits.models import CreditLot

SHOWN_DRAWS = 100


class OpennessFilter(admin.SimpleListFilter):
    """Whether something is left."""

    title, parameter_name = "what is left", "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "something"), ("closed", "nothing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        states = {"open": True, "closed": False}
        return queryset.filter(is_open=states[self.value() or ""]) if self.value() in states else queryset


class ExpiringFilter(admin.SimpleListFilter):
    """Lots with something left that will soon lapse."""

    title, parameter_name = "expiring", "expiring"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("7", "in 7 days"), ("30", "in 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("7", "30"):
            return queryset
        now = clock.now()
        soon = now + timedelta(days=int(self.value() or 0))
        return queryset.filter(is_open=True, expires_at__gt=now, expires_at__lte=soon)


@admin.register(CreditLot)
class CreditLotAdmin(LedgerEvidenceAdmin):
    list_display = ("when", "customer", "source", "amount_shown", "left", "paid", "expires")
    list_filter = ("source_kind", OpennessFilter, ExpiringFilter, ("created_at", DateRangeFilter))
    search_fields = ("pk",)
    search_help_text = "Email of the customer, or the number of a lot"
    empty_hint = "Each purchase, gift or allowance opens a lot here. Give a customer credits to see the first."
    fields = (
        "id",
        "customer",
        "source",
        "opened_by",
        "parent_shown",
        "amount_shown",
        "left",
        "paid",
        "expires",
        "when",
        "draws",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditLot]:
        return selectors.lots()

    @admin.display(description="Opened", ordering="created_at")
    def when(self, lot: CreditLot) -> str:
        return display.moment(lot.created_at)

    @admin.display(description="Customer")
    def customer(self, lot: CreditLot) -> str:
        return links.to_customer(lot)

    @admin.display(description="Source")
    def source(self, lot: CreditLot) -> str:
        return links.kind_badge(lot.source_kind)

    @admin.display(description="Amount")
    def amount_shown(self, lot: CreditLot) -> str:
        return display.credits(lot.amount)

    @admin.display(description="Left")
    def left(self, lot: CreditLot) -> str:
        return display.credits(lot.remaining)

    @admin.display(description="Paid")
    def paid(self, lot: CreditLot) -> str:
        return display.money(lot.paid_minor, lot.currency)

    @admin.display(description="Expires")
    def expires(self, lot: CreditLot) -> str:
        return display.expiry(lot.expires_at)

    @admin.display(description="Opened by")
    def opened_by(self, lot: CreditLot) -> str:
        entry = lot.transaction
        return format_html("{} {}", links.to_entry(entry), entry.description)

    @admin.display(description="First came in by")
    def parent_shown(self, lot: CreditLot) -> str:
        return links.to_lot(lot.parent_id) if lot.parent_id else display.absent()

    @admin.display(description="What drew on it")
    def draws(self, lot: CreditLot) -> str:
        found = selectors.draws_on(lot)[: SHOWN_DRAWS + 1]
        lines = (
            (display.change(-draw.amount), links.to_entry(draw.transaction), display.moment(draw.created_at))
            for draw in found[:SHOWN_DRAWS]
        )
        shown = format_html_join("", "<div>{} {} {}</div>", lines)
        rest = f"Only the latest {SHOWN_DRAWS} are shown." if len(found) > SHOWN_DRAWS else ""
        return format_html("{}{}", shown, rest) or display.absent()
