"""Exchange rates: entered by hand or brought by a file."""

from django import forms
from django.contrib import admin

from audit.exportlists import ExportMixin
from audit.importlists import ImportMixin
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin.filters import DateRangeFilter
from billing.admin.prices import BareDecimalField
from billing.catalogues import RateResource
from billing.models import ExchangeRate

SHOWN_DECIMALS = 6


class RateForm(forms.ModelForm):
    class Meta:
        model = ExchangeRate
        fields = ("date", "base", "quote", "rate")
        field_classes = {"rate": BareDecimalField}


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ImportMixin, ExportMixin, AuditedModelAdmin):
    form = RateForm
    catalogue = RateResource
    list_display = ("date", "base", "quote", "rate_shown")
    list_filter = (("date", DateRangeFilter), "base", "quote")
    search_fields = ("base", "quote")
    search_help_text = "Currency, such as EUR"
    ordering = ("-date",)
    sortable_by = ("date",)
    empty_hint = (
        "A rate tells amounts of one currency in another, from its day until the next one. "
        "Add one for each currency that customers pay in, or import a file."
    )

    @admin.display(description="Rate", ordering="rate")
    def rate_shown(self, rate: ExchangeRate) -> str:
        # At least so many decimals that rates stand below each other.
        decimals = max(SHOWN_DECIMALS, -int(rate.rate.normalize().as_tuple().exponent))
        return f"1 {rate.base} = {rate.rate:.{decimals}f} {rate.quote}"
