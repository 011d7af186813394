"""The kinds of movement in the ledger and the sign that each has; the states of a hold."""

from django.db import models


class TransactionKind(models.TextChoices):
    PURCHASE = "purchase", "Purchase"
    GIFT = "gift", "Gift"
    BONUS = "bonus", "Bonus"
    REFERRAL = "referral", "Referral"
    ALLOWANCE = "allowance", "Allowance"
    REDEMPTION = "redemption", "Redemption"
    REFUND = "refund", "Refund"
    REINSTATEMENT = "reinstatement", "Reinstatement"
    USAGE = "usage", "Usage"
    EXPIRY = "expiry", "Expiry"
    REVERSAL = "reversal", "Reversal"
    CHARGEBACK = "chargeback", "Chargeback"
    ADJUSTMENT = "adjustment", "Adjustment"


# What a payment that was taken back takes back in turn; it alone may leave a debt.
CLAWBACKS = frozenset({TransactionKind.REVERSAL, TransactionKind.CHARGEBACK})
# What gives an earlier entry back, and so always names it.
GIVING_BACK = frozenset({TransactionKind.REFUND, TransactionKind.REINSTATEMENT})
TAKING = frozenset({TransactionKind.USAGE, TransactionKind.EXPIRY}) | CLAWBACKS
EITHER_WAY = frozenset({TransactionKind.ADJUSTMENT})
ADDING = frozenset(TransactionKind) - TAKING - EITHER_WAY
# What a posting may ask for by itself. Expiry follows from time, the others from what they give or claw back.
POSTABLE = (ADDING - GIVING_BACK) | EITHER_WAY | {TransactionKind.USAGE}


def sign_fits(kind: str, amount_is_positive: bool) -> bool:
    """Whether a movement of ``kind`` may add (or, if not positive, take)."""
    return kind in EITHER_WAY or (kind in ADDING) == amount_is_positive


class HoldState(models.TextChoices):
    OPEN = "open", "Open"
    CAPTURED = "captured", "Captured"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"
