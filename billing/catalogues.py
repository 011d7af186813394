"""Credit packs as rows of a file."""

from import_export.fields import Field

from backoffice.lib.catalogues.resources import (
    CatalogueResource,
    OptionalText,
    PlainDecimal,
    Price,
    Text,
    Truth,
    Whole,
)
from billing.models import CreditPack


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
