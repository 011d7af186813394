"""What a customer has, and how it came about."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from credits.models import CreditAccount, CreditLot, CreditTransaction

ZERO = Decimal(0)


def balance_of(user_id: int) -> CreditAccount:
    """The customer's account; one without any entry reads as zeros."""
    return CreditAccount.objects.filter(pk=user_id).first() or CreditAccount(user_id=user_id)


def available_credits(*, user_id: int, now: datetime) -> Decimal:
    """Credits that can be spent at ``now``: what has lapsed is left out, whether or not its expiry is booked."""
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    total = CreditLot.objects.filter(live, account_id=user_id, remaining__gt=0).aggregate(total=Sum("remaining"))
    return total["total"] or ZERO


def open_lots(*, user_id: int, now: datetime) -> list[CreditLot]:
    """Lots with something left that has not lapsed at ``now``, in the order in which they are spent."""
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    lots = CreditLot.objects.filter(live, account_id=user_id, remaining__gt=0).select_related("transaction")
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(
        lots,
        key=lambda lot: (
            lot.priority,
            lot.expires_at or far,
            lot.paid_minor is not None,
            lot.transaction.seq,
        ),
    )


def ledger_of(user_id: int) -> QuerySet[CreditTransaction]:
    """A customer's entries, newest first."""
    return CreditTransaction.objects.filter(account_id=user_id).order_by("-seq")
