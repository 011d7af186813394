"""The inbox as staff read it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from audit.modeladmin import AuditedModelAdmin
from audit.selectors import entries_about
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.bulk import ChosenRowsMixin
from backoffice.lib.admin.filters import DateRangeFilter
from billing import selectors
from billing.admin import links
from billing.admin.reconciliation import may_reconcile
from billing.admin.replay import REPLAY, ReplayManyView, ReplayView, replay_chosen
from billing.admin.told import what_was_paid
from billing.badges import state_badge
from billing.handlers.stories import MONEY_TYPES, story_told_by
from billing.models import EventState, StripeEvent
from billing.models.events import NEEDS_ATTENTION
from billing.services.replay import REPLAYABLE

ATTENTION = "attention"
SEE_AUDIT = "audit.view_auditentry"
SHOWN_REPLAYS = 20
SHOWN_ERROR = 120


class TypeFilter(admin.SimpleListFilter):
    """The types that ever came."""

    title, parameter_name = "type", "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in selectors.types_of_events()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    """The states, and first the two of them that the count of the sidebar is made of."""

    title, parameter_name = "state", "state__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(ATTENTION, "Needs attention"), *EventState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        if self.value() == ATTENTION:
            return queryset.filter(state__in=NEEDS_ATTENTION)
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(StripeEvent)
class StripeEventAdmin(ChosenRowsMixin, EvidenceAdmin, AuditedModelAdmin):
    list_display = ("when", "type", "state_shown", "subject", "attempts", "error_in_short")
    list_filter = (StateFilter, "livemode", ("received_at", DateRangeFilter), TypeFilter)
    search_fields = ("stripe_id",)
    search_help_text = "Exact id: evt_, pi_, cs_ or any other"
    ordering = ("-received_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    empty_hint = (
        "What Stripe delivers to /webhooks/stripe/ appears here. "
        "Add that address of this host as a webhook endpoint in Stripe."
    )

    actions = (replay_chosen,)

    def get_urls(self) -> list[URLPattern]:
        replay = self.admin_site.admin_view(ReplayView.as_view())
        replay_many = self.admin_site.admin_view(ReplayManyView.as_view())
        return [
            path("<int:event_id>/replay/", replay, name="billing_stripeevent_replay"),
            path("replay/<int:job_id>/", replay_many, name="billing_stripeevent_replay_many"),
            *super().get_urls(),
        ]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Asked by the action."""
        return request.user.has_perm(REPLAY)

    def get_fieldsets(self, request: HttpRequest, obj: StripeEvent | None = None) -> list[tuple[str | None, Any]]:
        outcome = ["state_shown", "error_shown", "attempts", "received", "next_attempt", "settled"]
        # Who replayed it and why stands in the audit log, which not everybody may read.
        if request.user.has_perm(SEE_AUDIT):
            outcome.append("replays")
        if obj is not None and obj.state in NEEDS_ATTENTION and may_reconcile(request):
            outcome.append("set_right")
        told = ["told"] if obj is not None and obj.type in MONEY_TYPES and obj.payload is not None else []
        return [
            (None, {"fields": ["event_at_stripe", "type", *told, "mode", "subject", "payment", "version"]}),
            ("What became of it", {"fields": outcome}),
            ("As it came", {"fields": ["created", "content"]}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        return selectors.inbox()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StripeEvent], search_term: str
    ) -> tuple[QuerySet[StripeEvent], bool]:
        return selectors.search_events(queryset, search_term), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        extra = {"replay_url": _replay_url(request, event)} if event else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @admin.display(description="Received", ordering="received_at")
    def when(self, event: StripeEvent) -> str:
        return display.moment(event.received_at)

    @admin.display(description="State")
    def state_shown(self, event: StripeEvent) -> str:
        return state_badge(event.state)

    @admin.display(description="Why")
    def error_in_short(self, event: StripeEvent) -> str:
        short = event.error[:SHOWN_ERROR] + "…" if len(event.error) > SHOWN_ERROR else event.error
        return format_html('<span title="{}">{}</span>', event.error, short) if short else display.absent()

    @admin.display(description="Why")
    def error_shown(self, event: StripeEvent) -> str:
        return event.error or display.absent()

    @admin.display(description="Event")
    def event_at_stripe(self, event: StripeEvent) -> str:
        return links.to_stripe("events", event.stripe_id, livemode=event.livemode)

    @admin.display(description="Mode")
    def mode(self, event: StripeEvent) -> str:
        return "live" if event.livemode else "test"

    @admin.display(description="Object")
    def subject(self, event: StripeEvent) -> str:
        return event.object_id or display.absent()

    @admin.display(description="API version")
    def version(self, event: StripeEvent) -> str:
        return event.api_version or display.absent()

    @admin.display(description="Payment")
    def payment(self, event: StripeEvent) -> str:
        payment = selectors.payment_of_intent(event.payment_intent_id)
        return links.to_payment(payment) if payment else links.to_stripe("payments", event.payment_intent_id)

    @admin.display(description="Received")
    def received(self, event: StripeEvent) -> str:
        return display.moment(event.received_at)

    @admin.display(description="Next attempt")
    def next_attempt(self, event: StripeEvent) -> str:
        return display.moment(event.next_attempt_at)

    @admin.display(description="Came to rest")
    def settled(self, event: StripeEvent) -> str:
        return display.moment(event.processed_at)

    @admin.display(description="Replayed")
    def replays(self, event: StripeEvent) -> str:
        entries = entries_about(resource_type=event._meta.label_lower, resource_id=str(event.pk))[:SHOWN_REPLAYS]
        lines = ((display.moment(entry.at), entry.actor_label, entry.reason) for entry in entries)
        return format_html_join("", "<div>{} by {}: {}</div>", lines) or display.absent()

    @admin.display(description="What it tells")
    def told(self, event: StripeEvent) -> str:
        return what_was_paid(story_told_by([event]))

    @admin.display(description="To set it right")
    def set_right(self, event: StripeEvent) -> str:
        return format_html(
            "{}: assign, link or leave it there", display.link(reverse("billing-reconciliation"), "Reconciliation")
        )

    @admin.display(description="Made by Stripe")
    def created(self, event: StripeEvent) -> str:
        return display.moment(event.stripe_created)

    @admin.display(description="Content")
    def content(self, event: StripeEvent) -> str:
        if event.payload is not None:
            return display.json_block(event.payload)
        if not event.body:
            proof = f" The removed bytes had the SHA-256 {event.body_sha256}." if event.body_sha256 else ""
            return f"Removed, for its age or for the person it told of.{proof}"
        text = bytes(event.body).decode(errors="replace")
        return format_html('<pre class="code" tabindex="0"><code>{}</code></pre>', text)


def _replay_url(request: HttpRequest, event: StripeEvent) -> str:
    may_replay = event.state in REPLAYABLE and request.user.has_perm(ReplayView.permission_required)
    return reverse("admin:billing_stripeevent_replay", args=[event.pk]) if may_replay else ""
