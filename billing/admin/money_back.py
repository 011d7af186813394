"""Refunds and disputes as staff read them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.exportlists import ExportMixin
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from billing import selectors
from billing.admin import links
from billing.badges import dispute_badge, refund_badge
from billing.models import CreditPolicy, Dispute, DisputeStatus, Refund
from billing.models.statuses import DISPUTE_NEEDS_US

ATTENTION = "attention"


class _OfPayment(ExportMixin, EvidenceAdmin):
    """What refunds and disputes show alike."""

    @admin.display(description="Customer")
    def customer(self, row: Refund | Dispute) -> str:
        return links.to_customer(row.payment.user)

    @admin.display(description="Payment")
    def payment_shown(self, row: Refund | Dispute) -> str:
        return links.to_payment(row.payment)

    # The ordering marks it as a figure; nobody sorts by it, since amounts of several currencies do not compare.
    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, row: Refund | Dispute) -> str:
        return display.money(row.amount_minor, row.payment.currency)


@admin.register(Refund)
class RefundAdmin(_OfPayment):
    list_display = ("when", "customer", "amount", "status_shown", "policy_shown", "asked_by", "payment_shown")
    list_filter = ("status", ("refunded_at", DateRangeFilter))
    search_fields = ("stripe_refund_id",)
    search_help_text = "Email, or an exact re_, pi_ or ch_ id"
    ordering = ("-refunded_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    empty_hint = "Money that is given back appears here. To refund a payment, open it and press Refund."
    fieldsets = (
        (None, {"fields": ("customer", "payment_shown", "amount", "status_shown", "when", "failed", "failure_shown")}),
        ("Why", {"fields": ("asked_by", "reason_shown", "stripe_reason_shown", "policy_shown")}),
        ("Where it comes from", {"fields": ("stripe_id", "payment_at_stripe", "events")}),
    )

    shown_if = {"failed": "failed_at", "failure_shown": "failure", "stripe_reason_shown": "stripe_reason"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return selectors.all_refunds()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Refund], search_term: str
    ) -> tuple[QuerySet[Refund], bool]:
        return selectors.search_refunds(queryset, search_term), False

    @admin.display(description="When", ordering="refunded_at")
    def when(self, refund: Refund) -> str:
        return display.moment(refund.refunded_at)

    @admin.display(description="Status")
    def status_shown(self, refund: Refund) -> str:
        return refund_badge(refund.status)

    @admin.display(description="Credits")
    def policy_shown(self, refund: Refund) -> str:
        if not refund.is_going_back or not refund.payment.transaction_id:
            return display.absent("None were touched")
        return "Taken back" if refund.policy == CreditPolicy.CLAW_BACK else "Left"

    @admin.display(description="Asked for by")
    def asked_by(self, refund: Refund) -> str:
        return refund.actor.email if refund.actor else "Made in Stripe"

    @admin.display(description="Failed")
    def failed(self, refund: Refund) -> str:
        return display.moment(refund.failed_at)

    @admin.display(description="Why it failed")
    def failure_shown(self, refund: Refund) -> str:
        return refund.failure or display.absent()

    @admin.display(description="Reason")
    def reason_shown(self, refund: Refund) -> str:
        return refund.reason or display.absent()

    @admin.display(description="Reason in Stripe")
    def stripe_reason_shown(self, refund: Refund) -> str:
        return links.words(refund.stripe_reason)

    @admin.display(description="Refund")
    def stripe_id(self, refund: Refund) -> str:
        return display.copyable(refund.stripe_refund_id) if refund.stripe_refund_id else display.absent()

    @admin.display(description="Payment in Stripe")
    def payment_at_stripe(self, refund: Refund) -> str:
        return links.to_stripe("payments", refund.payment.stripe_payment_id)

    @admin.display(description="Events")
    def events(self, refund: Refund) -> str:
        return links.to_events(selectors.all_events_of_object(refund.stripe_refund_id or ""))


class DisputeStatusFilter(admin.SimpleListFilter):
    """The states, and first those of them that the count of the sidebar is made of."""

    title, parameter_name = "status", "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(ATTENTION, "Waits for us"), *DisputeStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        if self.value() == ATTENTION:
            return queryset.filter(status__in=DISPUTE_NEEDS_US)
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Dispute)
class DisputeAdmin(_OfPayment):
    list_display = ("when", "customer", "amount", "status_shown", "reason_shown", "evidence_due", "payment_shown")
    list_filter = (DisputeStatusFilter, ("opened_at", DateRangeFilter))
    search_fields = ("stripe_dispute_id",)
    search_help_text = "Email, or an exact dp_, pi_ or ch_ id"
    ordering = ("-opened_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    empty_hint = "Payments that customers contest at their bank appear here. Answer them in Stripe before they are due."
    fieldsets = (
        (None, {"fields": ("customer", "payment_shown", "amount", "status_shown", "reason_shown", "when", "closed")}),
        ("What it takes", {"fields": ("evidence_due", "fee_shown", "credits_taken")}),
        ("Where it comes from", {"fields": ("at_stripe", "events")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return selectors.all_disputes()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Dispute], search_term: str
    ) -> tuple[QuerySet[Dispute], bool]:
        return selectors.search_disputes(queryset, search_term), False

    @admin.display(description="Opened", ordering="opened_at")
    def when(self, dispute: Dispute) -> str:
        return display.moment(dispute.opened_at)

    @admin.display(description="Status")
    def status_shown(self, dispute: Dispute) -> str:
        return dispute_badge(dispute.status)

    @admin.display(description="Reason")
    def reason_shown(self, dispute: Dispute) -> str:
        return links.words(dispute.reason)

    @admin.display(description="Evidence due")
    def evidence_due(self, dispute: Dispute) -> str:
        # Once we have answered, or it is over, nothing is due any more.
        return display.moment(dispute.evidence_due_at if dispute.status in DISPUTE_NEEDS_US else None)

    @admin.display(description="Closed")
    def closed(self, dispute: Dispute) -> str:
        return display.moment(dispute.closed_at)

    @admin.display(description="Fee")
    def fee_shown(self, dispute: Dispute) -> str:
        return display.money(dispute.fee_minor, dispute.fee_currency)

    @admin.display(description="Dispute in Stripe")
    def at_stripe(self, dispute: Dispute) -> str:
        return links.to_stripe("disputes", dispute.stripe_dispute_id)

    @admin.display(description="Credits taken back")
    def credits_taken(self, dispute: Dispute) -> str:
        taken = selectors.credits_taken(dispute.payment)
        return display.credits(taken) if taken else display.absent("None of those that the payment bought")

    @admin.display(description="Events")
    def events(self, dispute: Dispute) -> str:
        return links.to_events(selectors.all_events_of_object(dispute.stripe_dispute_id))
