"""The ledger as staff read it, and the way to the forms that write to it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from audit.exportlists import ExportMixin
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.money import format_credits
from backoffice.lib.registry import entry_links
from credits import selectors
from credits.admin import links
from credits.admin.adjust import AdjustView
from credits.admin.allowance import AllowanceView
from credits.admin.explain import ExplainView
from credits.admin.gift import GiftView
from credits.admin.statement import StatementView
from credits.admin.undo import RefundView, ReverseView
from credits.models import CreditTransaction
from credits.undoing import ways_of

MAX_LINES = 100


@admin.register(CreditTransaction)
class CreditTransactionAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "customer", "kind_badge", "change", "balance", "description", "reference", "undoes", "by")
    list_filter = ("kind", ("created_at", DateRangeFilter))
    search_fields = ("reference",)
    search_help_text = "Email of the customer, an exact reference, or the number of an entry"
    ordering = ("-created_at",)
    empty_hint = (
        "Each purchase, gift and usage appears here as it happens. Give a customer credits to see the first entry."
    )
    link_lookups = ("account__exact",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    fields = (
        "id",
        "customer",
        "seq",
        "kind_badge",
        "change",
        "balance_before_shown",
        "balance",
        "description",
        "reference",
        "action_type",
        "by",
        "causes",
        "reverses_shown",
        "reversed_by_shown",
        "opened_lots",
        "drawn_lots",
        "debt_shown",
        "metadata_shown",
        "event",
        "when",
    )

    def get_urls(self) -> list[URLPattern]:
        views = {
            "gift/<int:user_id>/": (GiftView, "credits_gift"),
            "adjust/<int:user_id>/": (AdjustView, "credits_adjust"),
            "allowance/<int:user_id>/": (AllowanceView, "credits_allowance"),
            "statement/<int:user_id>/": (StatementView, "credits_statement"),
            "explain/<int:user_id>/": (ExplainView, "credits_explain"),
            "<int:entry_id>/refund/": (RefundView, "credits_refund"),
            "<int:entry_id>/reverse/": (ReverseView, "credits_reverse"),
        }
        wrap = self.admin_site.admin_view
        own = [path(route, wrap(view.as_view()), name=name) for route, (view, name) in views.items()]
        return [*own, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        entry = self.get_object(request, object_id)
        acts = [*ways_of(request, entry), links.to_explain(entry.account_id)] if entry else []
        return super().change_view(request, object_id, form_url, {"acts": acts, **(extra_context or {})})

    def get_fields(self, request: HttpRequest, obj: CreditTransaction | None = None) -> Any:
        """With what lies behind the entry elsewhere, as far as the reader may see it."""
        if obj is not None:
            obj.seen_by = request.user  # type: ignore[attr-defined]
        return super().get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditTransaction]:
        return selectors.ledger()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CreditTransaction], search_term: str
    ) -> tuple[QuerySet[CreditTransaction], bool]:
        return selectors.search(queryset, search_term, reference="reference"), False

    @admin.display(description="Booked", ordering="created_at")
    def when(self, entry: CreditTransaction) -> str:
        return display.moment(entry.created_at)

    @admin.display(description="Happened")
    def event(self, entry: CreditTransaction) -> str:
        return display.moment(entry.event_at)

    @admin.display(description="Customer")
    def customer(self, entry: CreditTransaction) -> str:
        return links.to_customer(entry)

    @admin.display(description="Kind")
    def kind_badge(self, entry: CreditTransaction) -> str:
        return links.kind_badge(entry.kind)

    @admin.display(description="Amount")
    def change(self, entry: CreditTransaction) -> str:
        return display.change(entry.amount)

    @admin.display(description="Balance before")
    def balance_before_shown(self, entry: CreditTransaction) -> str:
        return display.credits(entry.balance_before)

    @admin.display(description="Balance after")
    def balance(self, entry: CreditTransaction) -> str:
        return display.credits(entry.balance_after)

    @admin.display(description="Reverses")
    def undoes(self, entry: CreditTransaction) -> str:
        return str(entry.reverses_id) if entry.reverses_id else display.absent()

    @admin.display(description="By")
    def by(self, entry: CreditTransaction) -> Any:
        return entry.actor or "system"

    @admin.display(description="Caused by")
    def causes(self, entry: CreditTransaction) -> str:
        found = [
            format_html("<div>{}: {}</div>", link.label, display.link(*behind))
            for link in entry_links
            if entry.seen_by.has_perm(link.permission) and (behind := link.find(entry))  # type: ignore[attr-defined]
        ]
        if hold := selectors.hold_captured_by(entry):
            found.append(format_html("<div>{}, captured</div>", links.to_hold(hold)))
        return format_html_join("", "{}", ((line,) for line in found)) or display.absent()

    @admin.display(description="Reverses")
    def reverses_shown(self, entry: CreditTransaction) -> str:
        return links.to_entry(entry.reverses) if entry.reverses else display.absent()

    @admin.display(description="Reversed by")
    def reversed_by_shown(self, entry: CreditTransaction) -> str:
        later = selectors.reversed_by(entry)[:MAX_LINES]
        lines = (
            (links.to_entry(other), display.change(other.amount), display.moment(other.created_at)) for other in later
        )
        return format_html_join("", "<div>{} {} {}</div>", lines) or display.absent()

    @admin.display(description="Opened lots")
    def opened_lots(self, entry: CreditTransaction) -> str:
        lines = ((links.lot_line(lot),) for lot in selectors.lots_opened_by(entry)[:MAX_LINES])
        return format_html_join("", "{}", lines) or display.absent()

    @admin.display(description="Lots")
    def drawn_lots(self, entry: CreditTransaction) -> str:
        lines = ((links.draw_line(draw),) for draw in selectors.draws_of(entry)[:MAX_LINES])
        return format_html_join("", "{}", lines) or display.absent()

    @admin.display(description="Debt it left")
    def debt_shown(self, entry: CreditTransaction) -> str:
        debt = selectors.debt_of(entry)
        if debt is None:
            return display.absent()
        page = reverse("admin:credits_creditdebt_change", args=[debt.pk])
        of = display.link(page, f"debt of {format_credits(debt.amount)}")
        paid = format_html_join(
            "", "{}", ((links.draw_line(draw),) for draw in selectors.payments_of(debt)[:MAX_LINES])
        )
        return format_html("{} owed of a {}{}", display.credits(debt.remaining), of, paid)

    @admin.display(description="Metadata")
    def metadata_shown(self, entry: CreditTransaction) -> str:
        return display.json_block(entry.metadata) if entry.metadata else display.absent()
