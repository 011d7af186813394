"""Syncing with Stripe as staff see it: how far each list was read, the button that reads them, and of one customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import Customer
from backoffice.lib.admin import display
from backoffice.lib.admin.base import EvidenceAdmin
from backoffice.lib.admin.confirm import Change, ConfirmFormView
from backoffice.lib.admin.fields import ReasonField
from billing import stripe_api
from billing.models import SyncState
from billing.resources import RESOURCES
from billing.services import sync_jobs
from billing.services.syncing import NO_KEY, SyncRefused, check_key
from jobs.models import Job

MAY_SYNC = "billing.sync_stripe"
LIST = "admin:billing_syncstate_changelist"


@admin.register(SyncState)
class SyncStateAdmin(EvidenceAdmin):
    list_display = ("what", "state_shown", "found_shown", "new_shown", "held_up_shown", "since_shown", "when")
    list_display_links = None
    sortable_by = ()
    ordering = ("pk",)
    fields = ("what", "state_shown", "found_shown", "new_shown", "held_up_shown", "since_shown", "begun", "when")
    empty_hint = (
        "Nothing was read from Stripe yet. What it delivers is booked without this; sync after the webhook endpoint "
        "was not reached for some time, or to bring in what was paid before this began."
    )
    change_list_template = "admin/billing/syncstate/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("sync/", self.admin_site.admin_view(SyncView.as_view()), name="billing_stripe_sync"),
            path(
                "sync/<int:user_id>/",
                self.admin_site.admin_view(CustomerSyncView.as_view()),
                name="billing_customer_sync",
            ),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncState]:
        return SyncState.objects.all()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_sync = request.user.has_perm(MAY_SYNC)
        own = {
            "missing_key": "" if stripe_api.is_configured() else NO_KEY,
            "sync_url": reverse("admin:billing_stripe_sync") if may_sync and stripe_api.is_configured() else "",
        }
        return super().changelist_view(request, {**own, **(extra_context or {})})

    @admin.display(description="List")
    def what(self, state: SyncState) -> str:
        return RESOURCES[state.resource].label if state.resource in RESOURCES else state.resource

    @admin.display(description="State")
    def state_shown(self, state: SyncState) -> str:
        if state.finished_at is None:
            return format_html("{} {}", display.badge("Not at its end", "info"), state.error)
        if state.error:
            return format_html("{} {}", display.badge("Not read", "bad"), state.error)
        return display.badge("Read", "ok")

    @admin.display(description="Found", ordering="found")
    def found_shown(self, state: SyncState) -> str:
        return display.number(state.found)

    @admin.display(description="New", ordering="new")
    def new_shown(self, state: SyncState) -> str:
        return display.number(state.new)

    @admin.display(description="To look at", ordering="held_up")
    def held_up_shown(self, state: SyncState) -> str:
        return display.number(state.held_up)

    @admin.display(description="Created since")
    def since_shown(self, state: SyncState) -> str:
        return display.moment(state.since)

    @admin.display(description="Begun")
    def begun(self, state: SyncState) -> str:
        return display.moment(state.started_at)

    @admin.display(description="As of")
    def when(self, state: SyncState) -> str:
        return display.moment(state.updated_at)


@dataclass
class Stripe:
    """What a sync is done to, and the job that does it."""

    job: Job | None = None

    def __str__(self) -> str:
        return "Stripe"


class SyncForm(forms.Form):
    since = forms.DateField(
        label="Created since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty reads everything. Subscriptions, products and prices are always read whole.",
    )
    only = forms.MultipleChoiceField(
        label="Lists",
        choices=[(resource.key, resource.label) for resource in RESOURCES.values()],
        initial=list(RESOURCES),
        widget=forms.CheckboxSelectMultiple,
    )
    reason = ReasonField(rows=2)


class SyncView(ConfirmFormView):
    permission_required = MAY_SYNC
    form_class = SyncForm
    title = "Sync with Stripe"
    submit_label = "Sync"
    domain_errors = (SyncRefused,)
    navigation_key = "billing-syncstate"
    help_text = (
        "What Stripe lists is read and goes through the same rules as what it delivers: what is booked is not booked "
        "again. A run that was stopped goes on where it was."
    )

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Stripe:
        return Stripe()

    def obstacle(self, subject: Stripe) -> str:
        return "" if stripe_api.is_configured() else NO_KEY

    def effect(self, subject: Stripe, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        check_key()
        lists = ", ".join(RESOURCES[key].label for key in cleaned_data["only"])
        return [
            Change.told("Reads", lists),
            Change.told("Created since", cleaned_data["since"] or "the beginning"),
            Change.told("In Stripe", "nothing changes"),
            Change.told("Here", "what no delivery told of is booked, or parked for somebody to look at"),
        ]

    def perform(self, request: HttpRequest, subject: Stripe, cleaned_data: dict[str, Any], token: str) -> str:
        subject.job = sync_jobs.request_sync(
            since=cleaned_data["since"],
            only=[] if len(cleaned_data["only"]) == len(RESOURCES) else cleaned_data["only"],
            actor=request.user,
            reason=cleaned_data["reason"],
            token=f"stripe-sync:{token}",
        )
        return "The sync is queued."

    def success_url(self, subject: Stripe) -> str:
        return reverse("admin:jobs_job_change", args=[subject.job.pk]) if subject.job else reverse(LIST)


class CustomerSyncForm(forms.Form):
    reason = ReasonField(rows=2)


class CustomerSyncView(ConfirmFormView):
    permission_required = MAY_SYNC
    form_class = CustomerSyncForm
    title = "Sync with Stripe"
    submit_label = "Sync"
    domain_errors = (SyncRefused,)
    navigation_key = "customers"
    help_text = "What Stripe knows of this customer is read, and what no delivery told of is booked."

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and request.user.has_perm("accounts.view_customer")

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Customer:
        customer = Customer.objects.filter(pk=kwargs["user_id"]).first()
        if customer is None:
            raise Http404("There is no such customer.")
        return customer

    def obstacle(self, subject: Customer) -> str:
        if not stripe_api.is_configured():
            return NO_KEY
        return "" if subject.stripe_customer_id else sync_jobs.UNKNOWN_THERE

    def effect(self, subject: Customer, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        check_key()
        if not subject.stripe_customer_id:
            raise SyncRefused(sync_jobs.UNKNOWN_THERE)
        return [
            Change.told("Reads", f"all that Stripe knows of {subject.stripe_customer_id}"),
            Change.told("In Stripe", "nothing changes"),
            Change.told("Here", "what no delivery told of is booked, or parked for somebody to look at"),
        ]

    def perform(self, request: HttpRequest, subject: Customer, cleaned_data: dict[str, Any], token: str) -> str:
        job = sync_jobs.request_customer_sync(
            customer=subject, actor=request.user, reason=cleaned_data["reason"], token=f"stripe-sync:{token}"
        )
        return f"Stripe is asked about this customer. What comes of it is told by job {job.pk}."

    def success_url(self, subject: Customer) -> str:
        return reverse("admin:accounts_customer_change", args=[subject.pk])
