"""Payments as staff read them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from audit.exportlists import ExportMixin
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from billing import selectors
from billing.admin import links
from billing.admin.refunding import RefundPaymentView, waiting_refunds
from billing.badges import dispute_badge, refund_badge, status_badge
from billing.models import Payment


@admin.register(Payment)
class PaymentAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "customer", "amount", "status_shown", "back", "credits", "method_shown", "stripe_id")
    list_filter = ("status", ("paid_at", DateRangeFilter))
    search_fields = ("stripe_payment_id",)
    link_lookups = ("user__exact",)
    search_help_text = "Email, or an exact pi_ or ch_ id"
    ordering = ("-paid_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    empty_hint = "Payments appear here as Stripe tells of them. If customers have paid, look into Stripe events."
    fieldsets = (
        (
            None,
            {"fields": ("customer", "amount", "credits_now", "status_shown", "failure_shown", "method_shown", "when")},
        ),
        ("Money", {"fields": ("fee", "net", "refunded", "disputed", "kept", "refunds", "disputes")}),
        (
            "Where it comes from",
            {"fields": ("at_stripe", "charge_at_stripe", "invoice", "entries", "booked", "events")},
        ),
    )
    shown_if = {
        "failure_shown": "failure",
        "invoice": "stripe_invoice_id",
        "refunded": "refunded_minor",
        "disputed": "disputed_minor",
    }

    def get_urls(self) -> list[URLPattern]:
        refund = self.admin_site.admin_view(RefundPaymentView.as_view())
        return [path("<int:payment_id>/refund/", refund, name="billing_payment_refund"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return selectors.payments()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        payment = self.get_object(request, object_id)
        extra = {"refund_url": _refund_url(request, payment), "waiting": waiting_refunds(payment)} if payment else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        return selectors.search_payments(queryset, search_term), False

    @admin.display(description="When", ordering="paid_at")
    def when(self, payment: Payment) -> str:
        return display.moment(payment.paid_at)

    @admin.display(description="Customer")
    def customer(self, payment: Payment) -> str:
        return links.to_customer(payment.user)

    # The ordering marks it as a figure; nobody sorts by it, since amounts of several currencies do not compare.
    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return display.money(payment.amount_minor, payment.currency)

    @admin.display(description="Went back", ordering="refunded_minor")
    def back(self, payment: Payment) -> str:
        return display.money(payment.gone_minor or None, payment.currency)

    @admin.display(description="Refunded")
    def refunded(self, payment: Payment) -> str:
        return display.money(payment.refunded_minor, payment.currency)

    @admin.display(description="Disputed")
    def disputed(self, payment: Payment) -> str:
        return display.money(payment.disputed_minor, payment.currency)

    @admin.display(description="Not given back")
    def kept(self, payment: Payment) -> str:
        return display.money(payment.kept_minor, payment.currency)

    @admin.display(description="Stripe's fee")
    def fee(self, payment: Payment) -> str:
        return display.money(payment.fee_minor, payment.settlement_currency)

    @admin.display(description="Paid out, less the fee")
    def net(self, payment: Payment) -> str:
        return display.money(payment.net_minor, payment.settlement_currency)

    @admin.display(description="Refunds")
    def refunds(self, payment: Payment) -> str:
        return display.lines(
            (
                display.moment(refund.refunded_at),
                display.money(refund.amount_minor, payment.currency),
                refund_badge(refund.status),
                links.to_refund(refund),
            )
            for refund in selectors.refunds_of(payment)
        )

    @admin.display(description="Disputes")
    def disputes(self, payment: Payment) -> str:
        return display.lines(
            (
                display.moment(dispute.opened_at),
                display.money(dispute.amount_minor, payment.currency),
                dispute_badge(dispute.status),
                links.to_dispute(dispute),
            )
            for dispute in selectors.disputes_of(payment)
        )

    @admin.display(description="Why it failed")
    def failure_shown(self, payment: Payment) -> str:
        return payment.failure or display.absent()

    @admin.display(description="Invoice")
    def invoice(self, payment: Payment) -> str:
        known = selectors.invoice_of(payment.stripe_invoice_id) if payment.stripe_invoice_id else None
        return links.to_invoice(known) if known else links.to_stripe("invoices", payment.stripe_invoice_id)

    @admin.display(description="Credits", ordering="credits_purchased")
    def credits(self, payment: Payment) -> str:
        return display.credits(payment.credits_purchased or None)

    @admin.display(description="Credits")
    def credits_now(self, payment: Payment) -> str:
        bought, taken = self.credits(payment), selectors.credits_taken(payment)
        return format_html("{}, of which {} are taken back", bought, display.credits(taken)) if taken else bought

    @admin.display(description="Status")
    def status_shown(self, payment: Payment) -> str:
        return status_badge(payment.status)

    @admin.display(description="Method")
    def method_shown(self, payment: Payment) -> str:
        return payment.method or display.absent()

    @admin.display(description="Stripe id")
    def stripe_id(self, payment: Payment) -> str:
        return payment.stripe_payment_id

    @admin.display(description="Booked")
    def booked(self, payment: Payment) -> str:
        return display.moment(payment.created_at)

    @admin.display(description="Payment in Stripe")
    def at_stripe(self, payment: Payment) -> str:
        return links.to_stripe("payments", payment.stripe_payment_id)

    @admin.display(description="Charge in Stripe")
    def charge_at_stripe(self, payment: Payment) -> str:
        return links.to_stripe("payments", payment.stripe_charge_id)

    @admin.display(description="Ledger")
    def entries(self, payment: Payment) -> str:
        return display.lines(
            (
                (links.to_entry(entry.pk), entry.get_kind_display(), display.change(entry.amount))
                for entry in selectors.entries_of_payment(payment)
            ),
            nothing="It bought no credits by itself",
        )

    @admin.display(description="Events")
    def events(self, payment: Payment) -> str:
        return links.to_events(selectors.all_events_of_payment(payment.stripe_payment_id))


def _refund_url(request: HttpRequest, payment: Payment) -> str:
    may_refund = request.user.has_perm(RefundPaymentView.permission_required) and selectors.refundable_minor(payment)
    return reverse("admin:billing_payment_refund", args=[payment.pk]) if may_refund else ""
