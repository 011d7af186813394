"""Packs of credits: added and changed like any record of the house."""

from typing import Any

from django import forms
from django.contrib import admin

from audit.exportlists import ExportMixin
from audit.importlists import ImportMixin
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib import money
from backoffice.lib.admin import display
from billing.admin.prices import BareDecimalField, PlainDecimalField, minor_units_of
from billing.catalogues import PackResource
from billing.models import CreditPack


class PackForm(forms.ModelForm):
    """The price is typed as customers see it and kept in minor units."""

    price = PlainDecimalField(min_value=0, help_text="As customers see it, such as 10.00.")

    class Meta:
        model = CreditPack
        fields = ("name", "credits", "currency", "stripe_price_id", "is_active", "position")
        field_classes = {"credits": BareDecimalField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["price"] = money.major_units(self.instance.price_minor, self.instance.currency)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        price, currency = cleaned.get("price"), cleaned.get("currency")
        if price is not None and currency:
            self.instance.price_minor = minor_units_of(self, price, currency)
        return cleaned


@admin.register(CreditPack)
class CreditPackAdmin(ImportMixin, ExportMixin, AuditedModelAdmin):
    form = PackForm
    catalogue = PackResource
    list_display = ("name", "credits_shown", "price_shown", "stripe_price_id", "active_shown", "position")
    list_filter = ("is_active",)
    search_fields = ("name", "stripe_price_id")
    search_help_text = "Name or Stripe price"
    ordering = ("position",)
    sortable_by = ("name", "credits_shown", "position")
    fields = ("name", "credits", "price", "currency", "stripe_price_id", "is_active", "position")
    empty_hint = "A pack says how many credits a price in Stripe buys. Add one for each price that customers can pay."

    @admin.display(description="Credits", ordering="credits")
    def credits_shown(self, pack: CreditPack) -> str:
        return display.credits(pack.credits)

    @admin.display(description="Price")
    def price_shown(self, pack: CreditPack) -> str:
        return display.money(pack.price_minor, pack.currency)

    @admin.display(description="For sale")
    def active_shown(self, pack: CreditPack) -> str:
        return display.badge("For sale", "ok") if pack.is_active else display.badge("Withdrawn", "mute")
