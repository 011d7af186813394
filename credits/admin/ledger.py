"""The ledger as staff read it, and the way to the forms that write to it."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from audit.actions import Action
from audit.exporting import ExportMixin
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.csv import Column, PlainNumber, UtcText
from backoffice.lib.money import format_credits
from credits import selectors
from credits.admin.gift import GiftView
from credits.kinds import TransactionKind
from credits.models import CreditTransaction

KIND_TONES: dict[str, display.Tone] = {
    TransactionKind.PURCHASE: "ok",
    TransactionKind.GIFT: "info",
    TransactionKind.EXPIRY: "warn",
}


@admin.register(CreditTransaction)
class CreditTransactionAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "customer", "kind_badge", "change", "balance", "description", "reference", "by")
    list_filter = ("kind", ("created_at", DateRangeFilter))
    search_fields = ("reference",)
    search_help_text = "Email of the customer, an exact reference, or the number of an entry"
    ordering = ("-created_at",)
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
        "opened_lot",
        "drawn_lots",
        "metadata_shown",
        "event",
        "when",
    )

    export_name = "transactions"
    export_permission = "credits.export_ledger"
    export_action = Action.LEDGER_EXPORTED
    export_columns = (
        Column("ID", "pk"),
        Column("User Email", "account__user__email", is_text=True),
        Column("Type", "kind", is_text=True),
        Column("Amount", PlainNumber(F("amount"))),
        Column("Balance After", PlainNumber(F("balance_after"))),
        Column("Description", "description", is_text=True),
        Column("Date", UtcText(F("created_at"))),
    )

    def get_urls(self) -> list[URLPattern]:
        gift = self.admin_site.admin_view(GiftView.as_view())
        return [path("gift/<int:user_id>/", gift, name="credits_gift"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditTransaction]:
        return selectors.ledger()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CreditTransaction], search_term: str
    ) -> tuple[QuerySet[CreditTransaction], bool]:
        return selectors.search_ledger(queryset, search_term), False

    @admin.display(description="When", ordering="created_at")
    def when(self, entry: CreditTransaction) -> str:
        return display.moment(entry.created_at)

    @admin.display(description="Happened")
    def event(self, entry: CreditTransaction) -> str:
        return display.moment(entry.event_at)

    @admin.display(description="Customer")
    def customer(self, entry: CreditTransaction) -> str:
        return display.link(
            reverse("admin:accounts_customer_change", args=[entry.account_id]), entry.account.user.email
        )

    @admin.display(description="Kind")
    def kind_badge(self, entry: CreditTransaction) -> str:
        return display.badge(entry.get_kind_display(), KIND_TONES.get(entry.kind, "mute"))

    @admin.display(description="Amount")
    def change(self, entry: CreditTransaction) -> str:
        return display.change(entry.amount)

    @admin.display(description="Balance before")
    def balance_before_shown(self, entry: CreditTransaction) -> str:
        return display.credits(entry.balance_before)

    @admin.display(description="Balance after")
    def balance(self, entry: CreditTransaction) -> str:
        return display.credits(entry.balance_after)

    @admin.display(description="By")
    def by(self, entry: CreditTransaction) -> Any:
        return entry.actor or "system"

    @admin.display(description="Opened")
    def opened_lot(self, entry: CreditTransaction) -> str:
        lot = next(iter(selectors.lots_opened_by(entry)), None)
        if lot is None:
            return display.absent()
        expiry = f", expires {lot.expires_at:%Y-%m-%d}" if lot.expires_at else ", does not expire"
        return f"Lot {lot.pk}: {format_credits(lot.remaining)} of {format_credits(lot.amount)} left{expiry}"

    @admin.display(description="Drew on")
    def drawn_lots(self, entry: CreditTransaction) -> str:
        lines = (
            (display.credits(draw.amount), f"lot {draw.lot_id}", draw.lot.get_source_kind_display().lower())
            for draw in selectors.draws_of(entry)
        )
        return format_html_join("", "<div>{} from {} ({})</div>", lines) or display.absent()

    @admin.display(description="Metadata")
    def metadata_shown(self, entry: CreditTransaction) -> str:
        return display.json_block(entry.metadata) if entry.metadata else display.absent()
