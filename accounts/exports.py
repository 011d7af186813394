"""Customers and tags as files."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import F, Value

from accounts import selectors
from accounts.models import Tag
from audit.actions import Action
from backoffice.lib.csv import Column, MajorUnits, PlainNumber, UtcText
from backoffice.lib.exports import Export


def _columns() -> Sequence[Column]:
    return (
        Column("ID", "pk"),
        Column("Email", "email"),
        Column("Role", Value("customer")),
        Column("Credits", PlainNumber(F("figures__balance"))),
        Column("Created At", UtcText(F("date_joined"))),
        Column("Generations", "figures__total_generations"),
        Column("Total Spent", MajorUnits(F("figures__spend_minor"), settings.REPORTING_CURRENCY)),
    )


USERS = Export(
    key="users",
    label="Customers",
    permission="accounts.export_customers",
    action=Action.CUSTOMERS_EXPORTED,
    rows=selectors.customer_list,
    columns=_columns,
    order=10,
)


def _tag_columns() -> Sequence[Column]:
    # Those of accounts.catalogues, so that the file can be imported again.
    return Column("name", "name"), Column("colour", "colour")


TAGS = Export(
    key="tags",
    label="Tags",
    permission="accounts.export_tags",
    action=Action.TAGS_EXPORTED,
    rows=Tag.objects.all,
    columns=_tag_columns,
    formats=("csv", "json"),
    order=60,
)
