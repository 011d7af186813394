"""Subscriptions as staff read them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.exportlists import ExportMixin
from backoffice.lib import clock
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.money import format_money
from billing import selectors
from billing.admin import links
from billing.badges import invoice_badge, subscription_badge
from billing.models import Subscription, SubscriptionItem
from billing.models.statuses import SubscriptionStatus

SHOWN = 50
LEAVING = "leaving"


class SubscriptionStatusFilter(admin.SimpleListFilter):
    """The states, and beside them those that go on until their period ends."""

    title, parameter_name = "status", "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [*SubscriptionStatus.choices, (LEAVING, "Ends with its period")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        if self.value() == LEAVING:
            return selectors.leaving(queryset)
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Subscription)
class SubscriptionAdmin(ExportMixin, EvidenceAdmin):
    list_display = ("when", "customer", "plan_shown", "status_shown", "mrr", "until", "stripe_id")
    list_filter = (SubscriptionStatusFilter, "plan", ("started_at", DateRangeFilter))
    search_fields = ("stripe_subscription_id",)
    link_lookups = ("user__exact",)
    search_help_text = "Email, or an exact sub_ or cus_ id"
    ordering = ("-started_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    empty_hint = "Subscriptions appear here as Stripe tells of them. If customers subscribed, look into Stripe events."
    fieldsets = (
        (None, {"fields": ("customer", "plan_shown", "status_shown", "mrr", "when", "period")}),
        ("Trial, pause and end", {"fields": ("trial", "pause", "end")}),
        ("Prices and discounts", {"fields": ("items_shown", "discounts_shown")}),
        ("What changed", {"fields": ("changes",)}),
        ("Its invoices", {"fields": ("invoices",)}),
        ("Where it comes from", {"fields": ("at_stripe", "customer_at_stripe", "events")}),
    )

    shown_if = {"trial": "trial_end", "pause": "pause_behavior", "discounts_shown": "discounts"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return selectors.subscriptions().prefetch_related("items")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Subscription], search_term: str
    ) -> tuple[QuerySet[Subscription], bool]:
        return selectors.search_subscriptions(queryset, search_term), False

    @admin.display(description="Started", ordering="started_at")
    def when(self, subscription: Subscription) -> str:
        return display.moment(subscription.started_at)

    @admin.display(description="Customer")
    def customer(self, subscription: Subscription) -> str:
        return links.to_customer(subscription.user)

    @admin.display(description="Plan")
    def plan_shown(self, subscription: Subscription) -> str:
        return plan_of(subscription) or display.absent("None of its prices is of a plan")

    @admin.display(description="Status")
    def status_shown(self, subscription: Subscription) -> str:
        return subscription_badge(subscription)

    # The ordering marks it as a figure; nobody sorts by it, since amounts of several currencies do not compare.
    @admin.display(description="MRR", ordering="mrr_minor")
    def mrr(self, subscription: Subscription) -> str:
        return display.money(subscription.mrr_minor, subscription.currency)

    @admin.display(description="Ends or renews")
    def until(self, subscription: Subscription) -> str:
        return format_html("{} {}", *until_of(subscription))

    @admin.display(description="Stripe id")
    def stripe_id(self, subscription: Subscription) -> str:
        return subscription.stripe_subscription_id

    @admin.display(description="Period")
    def period(self, subscription: Subscription) -> str:
        return _span(subscription.current_period_start, subscription.current_period_end)

    @admin.display(description="Trial")
    def trial(self, subscription: Subscription) -> str:
        return _span(subscription.trial_start, subscription.trial_end)

    @admin.display(description="Pause")
    def pause(self, subscription: Subscription) -> str:
        if not subscription.pause_behavior:
            return display.absent()
        behavior = links.words(subscription.pause_behavior).lower()
        resumes = subscription.pause_resumes_at
        until = format_html("until {}", display.day(resumes)) if resumes else "until it is resumed in Stripe"
        return format_html("Invoices: {}, {}", behavior, until)

    @admin.display(description="Cancellation")
    def end(self, subscription: Subscription) -> str:
        if not (subscription.canceled_at or subscription.ended_at or subscription.cancel_at):
            return display.absent("Nobody cancelled it")
        words = (
            ("asked for", subscription.canceled_at),
            ("ends", subscription.cancel_at if not subscription.ended_at else None),
            ("ended", subscription.ended_at),
        )
        return format_html_join(", ", "{} {}", ((word, display.moment(at)) for word, at in words if at))

    @admin.display(description="Prices")
    def items_shown(self, subscription: Subscription) -> str:
        return display.lines(
            (
                item.plan or item.stripe_price_id,
                _terms(item, subscription.currency),
                format_html("MRR {}", display.money(item.mrr_minor, subscription.currency)),
            )
            for item in subscription.items.select_related("plan")
        )

    @admin.display(description="Discounts")
    def discounts_shown(self, subscription: Subscription) -> str:
        lines = ((_off(discount),) for discount in subscription.discounts)
        return format_html_join("", "<div>{}</div>", lines) or display.absent()

    @admin.display(description="Changes")
    def changes(self, subscription: Subscription) -> str:
        return display.lines(
            (
                display.moment(change.at),
                display.badge(SubscriptionStatus(change.status).label, "mute"),
                change.plan or "",
                format_html(
                    "MRR {} → {}",
                    display.money(change.mrr_minor_before, change.currency),
                    display.money(change.mrr_minor_after, change.currency),
                ),
                links.to_event(change.event),
            )
            for change in selectors.changes_of(subscription, limit=SHOWN)
        )

    @admin.display(description="Invoices")
    def invoices(self, subscription: Subscription) -> str:
        found = selectors.invoices_of_subscription(subscription.stripe_subscription_id, limit=SHOWN)
        return display.lines(
            (
                (
                    display.moment(invoice.issued_at),
                    links.to_invoice(invoice),
                    display.money(invoice.total_minor, invoice.currency),
                    invoice_badge(invoice.status),
                )
                for invoice in found
            ),
            nothing="Stripe told of no invoice",
        )

    @admin.display(description="Subscription in Stripe")
    def at_stripe(self, subscription: Subscription) -> str:
        return links.to_stripe("subscriptions", subscription.stripe_subscription_id)

    @admin.display(description="Customer in Stripe")
    def customer_at_stripe(self, subscription: Subscription) -> str:
        return links.to_stripe("customers", subscription.stripe_customer_id)

    @admin.display(description="Events")
    def events(self, subscription: Subscription) -> str:
        return links.to_events(selectors.all_events_of_subscription(subscription.stripe_subscription_id)[:SHOWN])


def plan_of(subscription: Subscription) -> str:
    """Its plan, with the interval by which it is paid unless that is the month; its items are prefetched."""
    every = {_every(item) for item in subscription.items.all()} - {"month"}
    name = str(subscription.plan or "")
    return f"{name}, each {' and '.join(sorted(every))}" if name and every else name


def until_of(subscription: Subscription) -> tuple[str, SafeString]:
    """What comes next, in a word, and when."""
    if subscription.ended_at:
        return "ended", display.moment(subscription.ended_at)
    if subscription.cancel_at or subscription.cancel_at_period_end:
        return "ends", display.moment(subscription.cancel_at or subscription.current_period_end)
    if subscription.status == SubscriptionStatus.TRIALING and subscription.trial_end:
        return "trial ends", display.moment(subscription.trial_end)
    renewal = subscription.current_period_end
    if renewal is None:
        return "", display.absent()
    return ("renews" if renewal > clock.now() else "renewal due"), display.moment(renewal)


def _span(start: datetime | None, end: datetime | None) -> SafeString:
    if not start and not end:
        return display.absent()
    return format_html("{} to {}", display.day(start), display.day(end))


def _every(item: SubscriptionItem) -> str:
    return f"{item.interval_count} {item.interval}s" if item.interval_count > 1 else item.interval


def _terms(item: SubscriptionItem, currency: str) -> str:
    every = _every(item)
    if item.is_metered or item.unit_amount is None:
        return f"by use, each {every}"
    amount = item.unit_amount
    # A price may have parts of a minor unit.
    text = format_money(int(amount), currency) if amount == int(amount) else f"{amount.normalize():f} minor units"
    return f"{item.quantity:,} x {text} each {every}"


def _off(discount: Mapping[str, Any]) -> SafeString:
    if discount["percent_off"] is not None:
        off = f"{discount['percent_off']}% off"
    elif discount["amount_off"] is not None:
        off = f"{format_money(int(Decimal(discount['amount_off'])), discount['currency'])} off each invoice"
    else:
        off = "Terms unknown"
    ends = display.day(datetime.fromisoformat(discount["ends"])) if discount["ends"] else None
    until = format_html("until {}", ends) if ends else "for as long as it lasts"
    return format_html("{} {}, coupon {}", off, until, discount["coupon"] or "unknown")
