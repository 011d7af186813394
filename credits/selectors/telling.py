"""What of the ledger the product is told, and was not told yet."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, QuerySet

from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from jobs.selectors import untold

ALLOWANCE_GRANTED, BALANCE_LOW = "credits.allowance_granted", "credits.balance_low"


def untold_allowances(*, since: datetime) -> QuerySet[CreditTransaction]:
    """The grants of allowances since ``since`` that no message tells of, of customers whom the product knows."""
    granted = _known(since).filter(kind=TransactionKind.ALLOWANCE)
    return untold(granted, f"{ALLOWANCE_GRANTED}:")


def untold_low_balances(*, below: Decimal, since: datetime) -> QuerySet[CreditTransaction]:
    """The entries since ``since`` that took a balance below ``below`` credits, where it still is.

    Of several on one account the last: whoever came back above in between has fallen once more.
    """
    fell = _known(since).filter(balance_before__gte=below, balance_after__lt=below, account__balance__lt=below)
    later = CreditTransaction.objects.filter(
        account=OuterRef("account"), seq__gt=OuterRef("seq"), balance_before__gte=below, balance_after__lt=below
    )
    return untold(fell.filter(~Exists(later)), f"{BALANCE_LOW}:")


def _known(since: datetime) -> QuerySet[CreditTransaction]:
    customers = CreditTransaction.objects.filter(
        account__user__external_id__isnull=False, account__user__is_staff=False
    )
    entries = customers.filter(created_at__gte=since)
    return entries.annotate(external_id=F("account__user__external_id")).order_by("created_at", "pk")
