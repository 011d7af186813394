"""What a customer has, and how it came about."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from credits.models import CreditAccount, CreditDraw, CreditLot, CreditTransaction

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


def customers_with_lapsed_lots(*, now: datetime, limit: int) -> list[int]:
    """Ids of at most ``limit`` customers, some of whose credits lapsed by ``now`` and are still in their balance."""
    lapsed = CreditLot.objects.filter(remaining__gt=0, expires_at__lte=now)
    held_by_customers = lapsed.filter(account__user__is_staff=False, account__user__demo_mode=False)
    return list(held_by_customers.values_list("account_id", flat=True).distinct()[:limit])


def ledger() -> QuerySet[CreditTransaction]:
    """All entries, with their customer and the member of staff."""
    return CreditTransaction.objects.select_related("account__user", "actor")


def search_ledger(entries: QuerySet[CreditTransaction], text: str) -> QuerySet[CreditTransaction]:
    """Entries of the customer with this email, with exactly this reference, or of this number."""
    term = text.replace("\x00", "").strip()
    if not term:
        return entries
    if "@" in term:
        # The id first: by a join, the ledger of a busy customer would be sorted whole.
        person = User.objects.with_email(term).values_list("pk", flat=True).first()
        return entries.filter(account_id=person) if person else entries.none()
    found = Q(reference=term)
    if term.isascii() and term.isdigit() and len(term) <= 18:
        found |= Q(pk=int(term))
    return entries.filter(found)


def lot_opened_by(entry: CreditTransaction) -> CreditLot | None:
    """The lot that an entry opened, if it added credits."""
    return CreditLot.objects.filter(transaction=entry).first()


def draws_of(entry: CreditTransaction) -> QuerySet[CreditDraw]:
    """What an entry took from which lot."""
    return CreditDraw.objects.filter(transaction=entry).select_related("lot").order_by("pk")


def ledger_of(user_id: int) -> QuerySet[CreditTransaction]:
    """A customer's entries, newest first."""
    return CreditTransaction.objects.filter(account_id=user_id).select_related("actor").order_by("-seq")
