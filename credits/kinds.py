"""The kinds of movement in the ledger and the sign that each has."""

from django.db import models


class TransactionKind(models.TextChoices):
    PURCHASE = "purchase", "Purchase"
    GIFT = "gift", "Gift"
    USAGE = "usage", "Usage"
    EXPIRY = "expiry", "Expiry"
    ADJUSTMENT = "adjustment", "Adjustment"


ADDING = frozenset({TransactionKind.PURCHASE, TransactionKind.GIFT})
TAKING = frozenset({TransactionKind.USAGE, TransactionKind.EXPIRY})
EITHER_WAY = frozenset({TransactionKind.ADJUSTMENT})


def sign_fits(kind: str, amount_is_positive: bool) -> bool:
    """Whether a movement of ``kind`` may add (or, if not positive, take)."""
    return kind in EITHER_WAY or (kind in ADDING) == amount_is_positive
