"""Plans: what a subscription gives each month, and the prices at which Stripe sells it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from audit.exportlists import ExportMixin
from audit.importlists import ImportMixin
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib import money
from backoffice.lib.admin import display
from billing.admin.prices import BareDecimalField, PlainDecimalField, minor_units_of
from billing.catalogues import PlanResource
from billing.models import Plan, PlanPrice


class PlanForm(forms.ModelForm):
    class Meta:
        model = Plan
        fields = ("name", "key", "monthly_credits", "trial_credits", "stripe_product_id", "is_active", "position")
        field_classes = {"monthly_credits": BareDecimalField, "trial_credits": BareDecimalField}


class PriceForm(forms.ModelForm):
    """The price is typed as customers see it and kept in minor units."""

    price = PlainDecimalField(min_value=0, required=False, help_text="Empty: by use, or in tiers.")

    class Meta:
        model = PlanPrice
        fields = ("stripe_price_id", "currency", "interval", "interval_count", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.amount_minor is not None:
            self.initial["price"] = money.major_units(self.instance.amount_minor, self.instance.currency)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        price, currency = cleaned.get("price"), cleaned.get("currency")
        if price is None:
            self.instance.amount_minor = None
        elif currency:
            self.instance.amount_minor = minor_units_of(self, price, currency)
        return cleaned


class PriceInline(admin.StackedInline):
    model = PlanPrice
    form = PriceForm
    fields = ("stripe_price_id", "price", "currency", "interval", "interval_count", "is_active")
    extra = 0
    can_delete = False
    verbose_name_plural = "Prices in Stripe"


@admin.register(Plan)
class PlanAdmin(ImportMixin, ExportMixin, AuditedModelAdmin):
    form = PlanForm
    catalogue = PlanResource
    inlines = (PriceInline,)
    list_display = ("name", "key", "credits_shown", "prices_shown", "stripe_product_id", "active_shown", "position")
    list_filter = ("is_active",)
    search_fields = ("name", "key", "stripe_product_id", "prices__stripe_price_id")
    search_help_text = "Name, key, or a product or price of Stripe"
    ordering = ("position",)
    sortable_by = ("name", "position")
    empty_hint = (
        "A plan says how many credits a subscription gives each month. "
        "Plans appear as Stripe tells of its products; add one for each that customers subscribe to."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).annotate(prices_sold=Count("prices", filter=Q(prices__is_active=True)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Subscriptions and invoices of the past stand for it: it is taken off sale instead.

    @admin.display(description="Credits a month", ordering="monthly_credits")
    def credits_shown(self, plan: Plan) -> str:
        return display.credits(plan.monthly_credits)

    @admin.display(description="Prices")
    def prices_shown(self, plan: Any) -> str:
        return display.number(plan.prices_sold)

    @admin.display(description="For sale")
    def active_shown(self, plan: Plan) -> str:
        return display.badge("For sale", "ok") if plan.is_active else display.badge("Not for sale", "mute")
