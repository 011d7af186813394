"""Invoices as staff read them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html_join

from audit.exportlists import ExportMixin
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from billing import selectors
from billing.admin import links
from billing.admin.methods import PaymentMethodsView
from billing.badges import invoice_badge, status_badge
from billing.models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "number_shown", "customer", "total", "paid", "status_shown", "due")
    list_filter = ("status", ("issued_at", DateRangeFilter))
    search_fields = ("stripe_invoice_id",)
    link_lookups = ("user__exact",)
    search_help_text = "Email, invoice number, or an exact in_ or sub_ id"
    ordering = ("-issued_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    empty_hint = (
        "Invoices appear here as Stripe tells of them: of subscriptions, and those that you write there. "
        "If there should be some, look into Stripe events."
    )
    fieldsets = (
        (
            None,
            {"fields": ("customer", "number_shown", "status_shown", "reason", "when", "due", "paid_when", "period")},
        ),
        ("Amounts", {"fields": ("subtotal", "tax", "total", "amount_due", "paid", "attempts", "next_attempt")}),
        ("What follows from it", {"fields": ("payments", "allowance")}),
        (
            "Where it comes from",
            {"fields": ("subscription", "at_stripe", "subscription_at_stripe", "hosted", "events")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        methods = self.admin_site.admin_view(PaymentMethodsView.as_view())
        return [
            path("payment-methods/<int:customer_id>/", methods, name="billing_payment_methods"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return selectors.invoices()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str
    ) -> tuple[QuerySet[Invoice], bool]:
        return selectors.search_invoices(queryset, search_term), False

    @admin.display(description="Issued", ordering="issued_at")
    def when(self, invoice: Invoice) -> str:
        return display.moment(invoice.issued_at)

    @admin.display(description="Number")
    def number_shown(self, invoice: Invoice) -> str:
        return invoice.number or display.absent("Stripe numbers it once it is final")

    @admin.display(description="Customer")
    def customer(self, invoice: Invoice) -> str:
        return links.to_customer(invoice.user)

    # The ordering marks it as a figure; nobody sorts by it, since amounts of several currencies do not compare.
    @admin.display(description="Total", ordering="total_minor")
    def total(self, invoice: Invoice) -> str:
        return display.money(invoice.total_minor, invoice.currency)

    @admin.display(description="Paid", ordering="amount_paid_minor")
    def paid(self, invoice: Invoice) -> str:
        return display.money(invoice.amount_paid_minor, invoice.currency)

    @admin.display(description="Status")
    def status_shown(self, invoice: Invoice) -> str:
        return invoice_badge(invoice.status)

    @admin.display(description="Due")
    def due(self, invoice: Invoice) -> str:
        return display.moment(invoice.due_at)

    @admin.display(description="What for")
    def reason(self, invoice: Invoice) -> str:
        return invoice.billing_reason.replace("_", " ").capitalize() or display.absent()

    @admin.display(description="Paid on")
    def paid_when(self, invoice: Invoice) -> str:
        return display.moment(invoice.paid_at)

    @admin.display(description="Period")
    def period(self, invoice: Invoice) -> str:
        bounds = ((display.day(at),) for at in (invoice.period_start, invoice.period_end) if at)
        return format_html_join(" to ", "{}", bounds) or display.absent()

    @admin.display(description="Subtotal")
    def subtotal(self, invoice: Invoice) -> str:
        return display.money(invoice.subtotal_minor, invoice.currency)

    @admin.display(description="Tax")
    def tax(self, invoice: Invoice) -> str:
        return display.money(invoice.tax_minor, invoice.currency)

    @admin.display(description="To pay")
    def amount_due(self, invoice: Invoice) -> str:
        return display.money(invoice.amount_due_minor, invoice.currency)

    @admin.display(description="Attempts")
    def attempts(self, invoice: Invoice) -> str:
        return display.number(invoice.attempt_count)

    @admin.display(description="Next attempt")
    def next_attempt(self, invoice: Invoice) -> str:
        return display.moment(invoice.next_attempt_at)

    @admin.display(description="Payments")
    def payments(self, invoice: Invoice) -> str:
        found = selectors.payments_of_invoice(invoice.stripe_invoice_id)
        return display.lines(
            ((links.to_payment(payment), status_badge(payment.status)) for payment in found),
            nothing="Stripe told of no payment of it",
        )

    @admin.display(description="Credits a month")
    def allowance(self, invoice: Invoice) -> str:
        return display.credits(invoice.monthly_credits)

    @admin.display(description="Invoice in Stripe")
    def at_stripe(self, invoice: Invoice) -> str:
        return links.to_stripe("invoices", invoice.stripe_invoice_id)

    @admin.display(description="Subscription")
    def subscription(self, invoice: Invoice) -> str:
        known = selectors.subscription_of(invoice.stripe_subscription_id)
        return links.to_subscription(known) if known else display.absent()

    @admin.display(description="Subscription in Stripe")
    def subscription_at_stripe(self, invoice: Invoice) -> str:
        return links.to_stripe("subscriptions", invoice.stripe_subscription_id)

    @admin.display(description="As the customer sees it")
    def hosted(self, invoice: Invoice) -> str:
        return links.to_hosted_page(invoice.hosted_url)

    @admin.display(description="Events")
    def events(self, invoice: Invoice) -> str:
        return links.to_events(selectors.all_events_of_invoice(invoice.stripe_invoice_id))
