"""The statement of a customer's account: what it held, what moved, what it holds."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from credits.models import CreditTransaction


@dataclass(frozen=True)
class Statement:
    """The entries of a period with the balances around it, in credits: ``opening`` plus their sum is ``closing``."""

    opening: Decimal
    closing: Decimal
    entries: QuerySet[CreditTransaction]


def statement_of(*, user_id: int, start: datetime, end: datetime) -> Statement:
    """The statement from ``start`` until before ``end`` (UTC), by when entries were booked.

    Entries are numbered without gaps and dated in their order, so two of them fix the rest for good: one that is
    booked while the statement is being written has a higher number.
    """
    booked = CreditTransaction.objects.filter(account_id=user_id)
    before, last = (
        booked.filter(created_at__lt=moment).order_by("-created_at", "-id").values_list("seq", "balance_after").first()
        for moment in (start, end)
    )
    first_seq, opening = before or (0, Decimal(0))
    last_seq, closing = last or (0, Decimal(0))
    return Statement(opening, closing, booked.filter(seq__gt=first_seq, seq__lte=last_seq).order_by("seq"))
