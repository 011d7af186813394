"""The outbox as staff read it: what went out, to whom, what was answered, and what is tried again."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.selectors import entries_about
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from jobs import selectors
from jobs.admin.sending import RETRY, SendAgainView, SendAllAgainView
from jobs.badges import message_badge
from jobs.models import Channel, Delivery, MessageState, OutboxMessage

SEE, READ = "jobs.view_outboxmessage", "jobs.read_message"
SEE_AUDIT = "audit.view_auditentry"
SHOWN_ERROR = 100
SHOWN_REPEATS = 20
TOPICS = (
    "user.banned",
    "user.unbanned",
    "user.suspended",
    "user.reinstated",
    "user.password_reset_requested",
    "credits.allowance_granted",
    "credits.balance_low",
)
OTHER_TOPICS = "others"


class TopicFilter(admin.SimpleListFilter):
    """What the product is told of, and all the rest."""

    title, parameter_name = "topic", "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [*((topic, topic) for topic in TOPICS), (OTHER_TOPICS, "all others")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
        if self.value() == OTHER_TOPICS:
            return queryset.exclude(topic__in=TOPICS)
        return queryset.filter(topic=self.value()) if self.value() else queryset


@admin.register(OutboxMessage)
class OutboxMessageAdmin(EvidenceAdmin):
    list_display = (
        "when",
        "what",
        "about",
        "state_shown",
        "attempts",
        "next_attempt",
        "error_in_short",
    )
    list_filter = ("state", "channel", TopicFilter, ("created_at", DateRangeFilter))
    search_fields = ("pk",)
    search_help_text = "Number of a message, or email or product id of a customer"
    ordering = ("-created_at",)
    sortable_by = ("when",)
    list_display_links = ("when",)
    link_lookups = ("user__exact",)
    change_list_template = "admin/jobs/outboxmessage/change_list.html"
    change_form_template = "admin/jobs/outboxmessage/change_form.html"
    empty_hint = (
        "Webhooks to the product, mail and Slack appear here, each with what was answered. "
        "The addresses that they go to are settings: .env.example lists them."
    )

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(SendAgainView.as_view())
        all_again = self.admin_site.admin_view(SendAllAgainView.as_view())
        return [
            path("send-again/", all_again, name="jobs_outboxmessage_send_all_again"),
            path("<int:message_id>/send-again/", again, name="jobs_outboxmessage_send_again"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        # What it says is read on its page alone.
        return selectors.messages().defer("body", "payload")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage], search_term: str
    ) -> tuple[QuerySet[OutboxMessage], bool]:
        return selectors.search_messages(queryset, search_term), False

    def get_list_display(self, request: HttpRequest) -> list[str]:
        may_read = request.user.has_perm(READ)
        return ["to" if name == "about" and may_read else name for name in self.list_display]

    def get_fieldsets(
        self, request: HttpRequest, obj: OutboxMessage | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        may_read = request.user.has_perm(READ)
        head = ["topic", "channel_shown", "about", *(["recipient_shown", "subject_shown"] if may_read else [])]
        outcome = ["state_shown", "error_shown", "attempts", "written", "next_attempt", "sent"]
        if request.user.has_perm(SEE_AUDIT):
            outcome.append("repeats")
        return [
            (None, {"fields": head}),
            ("What became of it", {"fields": outcome}),
            ("Attempts", {"fields": ["deliveries_shown"]}),
            ("What it says", {"fields": ["content" if may_read else "withheld"]}),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_retry = request.user.has_perm(RETRY)
        extra = {
            "unconfigured": selectors.unconfigured_channels(),
            "send_again_url": reverse("admin:jobs_outboxmessage_send_all_again") if may_retry else "",
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        message = self.get_object(request, object_id)
        may_retry = message is not None and message.forgotten_at is None and request.user.has_perm(RETRY)
        url = reverse("admin:jobs_outboxmessage_send_again", args=[message.pk]) if may_retry and message else ""
        return super().change_view(request, object_id, form_url, {"send_again_url": url, **(extra_context or {})})

    @admin.display(description="Written", ordering="created_at")
    def when(self, message: OutboxMessage) -> str:
        return display.moment(message.created_at)

    @admin.display(description="Written")
    def written(self, message: OutboxMessage) -> str:
        return display.moment(message.created_at)

    @admin.display(description="Message")
    def what(self, message: OutboxMessage) -> str:
        return format_html('{}<span class="secondary">{}</span>', message.topic, Channel(message.channel).label)

    @admin.display(description="About, and to")
    def to(self, message: OutboxMessage) -> str:
        about = self.about(message)
        if not message.recipient or (message.user and message.user.email == message.recipient):
            return about
        return format_html('{}<span class="secondary">to {}</span>', about, message.recipient)

    @admin.display(description="Channel")
    def channel_shown(self, message: OutboxMessage) -> str:
        return Channel(message.channel).label

    @admin.display(description="About")
    def about(self, message: OutboxMessage) -> str:
        if message.user is None:
            return display.absent("Nobody in particular")
        return display.link(reverse("admin:accounts_customer_change", args=[message.user_id]), message.user.email)

    @admin.display(description="To")
    def recipient_shown(self, message: OutboxMessage) -> str:
        return message.recipient or display.absent("The address in the settings")

    @admin.display(description="Subject")
    def subject_shown(self, message: OutboxMessage) -> str:
        return message.subject or display.absent()

    @admin.display(description="State")
    def state_shown(self, message: OutboxMessage) -> SafeString:
        return message_badge(message.state)

    @admin.display(description="Next attempt")
    def next_attempt(self, message: OutboxMessage) -> str:
        is_due = message.state == MessageState.PENDING
        return display.moment(message.next_attempt_at) if is_due else display.absent()

    @admin.display(description="Sent")
    def sent(self, message: OutboxMessage) -> str:
        return display.moment(message.sent_at)

    @admin.display(description="Why")
    def error_in_short(self, message: OutboxMessage) -> str:
        error = message.last_error
        short = error[:SHOWN_ERROR] + "…" if len(error) > SHOWN_ERROR else error
        return format_html('<span title="{}">{}</span>', error, short) if short else display.absent()

    @admin.display(description="Why")
    def error_shown(self, message: OutboxMessage) -> str:
        return message.last_error or display.absent()

    @admin.display(description="Sent again")
    def repeats(self, message: OutboxMessage) -> str:
        entries = entries_about(resource_type=message._meta.label_lower, resource_id=str(message.pk))[:SHOWN_REPEATS]
        lines = ((display.moment(entry.at), entry.actor_label, entry.reason or "no reason given") for entry in entries)
        return format_html_join("", "<div>{} by {}: {}</div>", lines) or display.absent()

    @admin.display(description="Attempts")
    def deliveries_shown(self, message: OutboxMessage) -> str:
        lines = format_html_join(
            "",
            '<li class="{}"><span class="timeline-title">{}</span><span class="timeline-meta">{}</span>'
            '<span class="timeline-note">{}</span></li>',
            (
                (_side(delivery), _outcome(delivery), display.moment(delivery.at), delivery.answer)
                for delivery in message.deliveries.order_by("-id")
            ),
        )
        return format_html('<ul class="timeline">{}</ul>', lines) if lines else "None yet."

    @admin.display(description="Content")
    def content(self, message: OutboxMessage) -> str:
        if message.forgotten_at is not None:
            return format_html("Removed for its age, {}.", display.moment(message.forgotten_at))
        if message.channel == Channel.WEBHOOK:
            return display.json_block(message.payload)
        return format_html('<pre class="code" tabindex="0"><code>{}</code></pre>', message.body)

    @admin.display(description="Content")
    def withheld(self, message: OutboxMessage) -> str:
        return "Shown to whoever may read messages, which your roles do not allow."


def _outcome(delivery: Delivery) -> SafeString:
    """What became of an attempt, with the status and how long it took."""
    if delivery.ok is None:
        return SafeString("Under way, or its worker was lost")
    words = "Taken" if delivery.ok else "Failed"
    status = f" with {delivery.status_code}" if delivery.status_code else ""
    return format_html("{}{} after {} ms", words, status, f"{delivery.took_ms:,}")


def _side(delivery: Delivery) -> str:
    if delivery.ok is None:
        return "warn"
    return "gain" if delivery.ok else "loss"
