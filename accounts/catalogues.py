"""Tags as rows of a file."""

from typing import Any

from import_export.fields import Field

from accounts.models import Tag
from backoffice.lib.catalogues.resources import CatalogueResource, Row, Text


class TagName(Text):
    """A name as the form of a tag reads it."""

    def clean(self, value: str, row: Row | None = None, **options: Any) -> str:
        return Tag.tidy(value)


class TagResource(CatalogueResource):
    """A tag by its name, in whatever case; a name that there is not is a new tag."""

    key = "name"
    name = Field("name", "name", TagName())
    colour = Field("colour", "colour", Text())

    class Meta:
        model = Tag
        fields = ("name", "colour")
        import_id_fields = ("name",)

    def find(self, text: str) -> Tag | None:
        return Tag.objects.filter(name__iexact=Tag.tidy(text)).first()
