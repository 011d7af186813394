"""Credit packs, plans and exchange rates as rows of a file."""

from import_export.fields import Field

from backoffice.lib.catalogues.resources import (
    CatalogueResource,
    Day,
    OptionalDecimal,
    OptionalText,
    PlainDecimal,
    Price,
    Row,
    Text,
    Truth,
    Whole,
)
from billing.models import CreditPack, ExchangeRate, Plan


class PackResource(CatalogueResource):
    """A pack by its id; without one, a new pack."""

    id = Field("id", "id", Whole(), readonly=True)
    name = Field("name", "name", Text())
    credits = Field("credits", "credits", PlainDecimal())
    price = Field("price_minor", "price", Price())
    currency = Field("currency", "currency", Text())
    stripe_price_id = Field("stripe_price_id", "stripe_price_id", OptionalText())
    is_active = Field("is_active", "is_active", Truth())
    position = Field("position", "position", Whole())

    class Meta:
        model = CreditPack
        fields = ("id", "name", "credits", "price", "currency", "stripe_price_id", "is_active", "position")


class PlanResource(CatalogueResource):
    """A plan by its id; without one, a new plan. Its prices are Stripe's to tell."""

    id = Field("id", "id", Whole(), readonly=True)
    # Not ``key``, which says of a resource how its records are found.
    plan_key = Field("key", "key", Text())
    name = Field("name", "name", Text())
    monthly_credits = Field("monthly_credits", "monthly_credits", PlainDecimal())
    trial_credits = Field("trial_credits", "trial_credits", OptionalDecimal())
    stripe_product_id = Field("stripe_product_id", "stripe_product_id", OptionalText())
    is_active = Field("is_active", "is_active", Truth())
    position = Field("position", "position", Whole())

    class Meta:
        model = Plan
        fields = (
            "id",
            "plan_key",
            "name",
            "monthly_credits",
            "trial_credits",
            "stripe_product_id",
            "is_active",
            "position",
        )


class RateResource(CatalogueResource):
    """A rate by its day and its two currencies; what there is none of yet is a new one."""

    key = "date, base, quote"
    date = Field("date", "date", Day())
    base = Field("base", "base", Text())
    quote = Field("quote", "quote", Text())
    rate = Field("rate", "rate", PlainDecimal())

    class Meta:
        model = ExchangeRate
        fields = ("date", "base", "quote", "rate")
        import_id_fields = ("date", "base", "quote")

    def key_of(self, row: Row) -> str:
        return " ".join(str(row[name]) for name in ("date", "base", "quote"))

    def find(self, text: str) -> ExchangeRate | None:
        day, base, quote = text.split(" ", 2)
        return ExchangeRate.objects.filter(date=Day().clean(day), base=base, quote=quote).first()
