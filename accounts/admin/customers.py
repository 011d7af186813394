"""The customers list and the customer page."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django.utils.html import format_html

from accounts import selectors
from accounts.admin import acts
from accounts.admin.customer_columns import cards, offered_columns
from accounts.admin.customer_list import CustomerChangeList
from accounts.admin.filters import CountryFilter, CreditBandFilter, PlanFilter, SourceFilter, StatusFilter, TagFilter
from accounts.admin.lives import retirement_on_page
from accounts.admin.notes import tags_on_page
from accounts.admin.profile import ProfileCard
from accounts.badges import status_badge
from accounts.models import Customer
from audit.exportlists import ExportMixin
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display
from backoffice.lib.admin.bulk import BulkActionsMixin
from backoffice.lib.admin.filters import DateRangeFilter
from backoffice.lib.admin.panels import customer_page


@admin.register(Customer)
class CustomerAdmin(ProfileCard, BulkActionsMixin, ExportMixin, AuditedModelAdmin):
    list_display = (
        "person",
        "credits",
        "plan_badge",
        "generations",
        "spend",
        "joined",
        "last_active",
        "status_badge",
        # Nearly always the same: what is looked at first comes first.
        "role",
    )
    optional_columns = ("own_id", "product_id", "stripe_id", "country_code", "source")
    remembers = True
    list_filter = (
        StatusFilter,
        CreditBandFilter,
        PlanFilter,
        CountryFilter,
        SourceFilter,
        TagFilter,
        ("figures__joined", DateRangeFilter),
    )
    search_fields = ("email", "full_name", "external_id", "stripe_customer_id")
    search_help_text = "Beginnings of email, name or id; an exact id finds that customer alone"
    ordering = ("-figures__joined",)
    empty_hint = (
        "Customers appear here as the product tells of them. Make an API key for it under Settings, "
        "and let it send its first customer."
    )
    keyset_tiebreak = "figures__user"
    keyset_tiebreaks = {"balance_row__balance": "balance_row__user"}
    sortable_by = ("credits", "generations", "spend", "joined", "last_active")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Customers sign up in the product, which tells us of them.

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False  # The ledger keeps their entries for ever.

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        # Nothing personal is written again of whoever was merged or anonymised.
        is_retired = obj is not None and selectors.retirement_seen(obj) is not None
        return not is_retired and super().has_change_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        return [*acts.urls(self.admin_site), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return selectors.customer_list()

    def get_available_columns(self, request: HttpRequest) -> Sequence[Any]:
        """Ours, those that other apps offer, and the small buttons, each as far as the reader may have it."""
        if not hasattr(request, "customer_columns"):
            request.customer_columns = [*super().get_available_columns(request), *offered_columns(request)]
        return request.customer_columns

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        return super().changelist_view(request, cards(request) | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        return selectors.search_for(search_term).among(queryset), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CustomerChangeList]:
        return CustomerChangeList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        customer = self.get_object(request, object_id)
        page: dict[str, Any] = {}
        if customer and self.has_view_permission(request, customer):
            page = {**customer_page(request, customer), **tags_on_page(request, customer)}
            page |= retirement_on_page(customer, page["action_groups"])
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})

    @admin.display(description="Customer")
    def person(self, customer: Customer) -> str:
        return format_html(
            '<span class="person">{}<span><span class="person-email">{}</span>'
            '<span class="person-name">{}</span></span></span>',
            display.avatar(customer.full_name or customer.email, customer.pk, customer.avatar),
            customer.email,
            customer.full_name,
        )

    @admin.display(description="Role")
    def role(self, customer: Customer) -> str:
        return display.badge("Demo", "mute") if customer.demo_mode else "Customer"

    @admin.display(description="Credits", ordering="balance_row__balance")
    def credits(self, customer: Customer) -> str:
        return display.balance(customer.figures.balance)

    @admin.display(description="Plan")
    def plan_badge(self, customer: Customer) -> str:
        return display.badge(customer.plan, "info") if customer.plan else display.absent()

    @admin.display(description="Generations", ordering="figures__total_generations")
    def generations(self, customer: Customer) -> str:
        return display.number(customer.figures.total_generations)

    @admin.display(description="Spend", ordering="figures__spend_minor")
    def spend(self, customer: Customer) -> str:
        return display.money(customer.figures.spend_minor, settings.REPORTING_CURRENCY)

    @admin.display(description="Joined", ordering="figures__joined")
    def joined(self, customer: Customer) -> str:
        return display.moment(customer.date_joined)

    @admin.display(description="Last active", ordering="figures__last_active_at")
    def last_active(self, customer: Customer) -> str:
        return display.moment(customer.last_active_at)

    @admin.display(description="Status")
    def status_badge(self, customer: Customer) -> str:
        return status_badge(customer.status)

    @admin.display(description="ID")
    def own_id(self, customer: Customer) -> int:
        return customer.pk

    @admin.display(description="Product's ID")
    def product_id(self, customer: Customer) -> str:
        return customer.external_id or display.absent()

    @admin.display(description="Stripe ID")
    def stripe_id(self, customer: Customer) -> str:
        return customer.stripe_customer_id or display.absent()

    @admin.display(description="Country")
    def country_code(self, customer: Customer) -> str:
        return customer.country or display.absent()

    @admin.display(description="Source")
    def source(self, customer: Customer) -> str:
        return customer.signup_source or display.absent()
