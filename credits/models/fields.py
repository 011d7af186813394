"""Credits as a column, and the bounds that every number has."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from credits.amounts import DECIMAL_PLACES


class CreditsField(models.DecimalField):
    """Credits: NUMERIC(18,4)."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_digits", 18)
        kwargs.setdefault("decimal_places", DECIMAL_PLACES)
        super().__init__(*args, **kwargs)


class FigureField(CreditsField):
    """Credits that start at 0, in the database too."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("default", Decimal(0))
        kwargs.setdefault("db_default", Decimal(0))
        super().__init__(*args, **kwargs)


def within(field: str, low: Decimal | int, high: Decimal | int | F) -> Q:
    # Both bounds always: NaN passes every lower bound, since PostgreSQL sorts it above all numbers.
    return Q(**{f"{field}__gte": low, f"{field}__lte": high})
