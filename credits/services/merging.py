"""Credits of a customer who becomes part of another: they move by entries on both ledgers, with terms and value."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.errors import MergeRefused
from accounts.models import Fate, RetiredCustomer
from backoffice.lib import clock
from backoffice.lib.money import format_credits, plain_credits
from credits import allocation, selectors
from credits.kinds import TransactionKind
from credits.models import CreditAccount
from credits.postings import Posting, Rejection
from credits.services.allowances import set_allowance
from credits.services.ground import Opened
from credits.services.posting import post_batch

logger = logging.getLogger(__name__)


def obstacles(survivor_id: int, merged_id: int) -> Sequence[str]:
    """Why the credits cannot move now, in words."""
    account = selectors.standing(user_id=merged_id, now=clock.now())
    found = []
    if account.held:
        found.append(
            f"Work of customer {merged_id} is running, for which {format_credits(account.held)} credits are held:"
            " wait until it has ended."
        )
    if account.debt:
        found.append(
            f"Customer {merged_id} owes {format_credits(account.debt)} credits: settle that by an adjustment first."
        )
    return found


@transaction.atomic
def move_credits(*, survivor_id: int, merged_id: int, actor_id: int, key: str) -> Mapping[str, Any]:
    """Move all that is left in the lots of ``merged_id``: one entry takes it, one for each lot brings it.

    What was paid for the rest of a lot goes along, and so do its end and its priority; ``key`` is the reference of all
    these entries. Raises MergeRefused when the ledger refuses it.
    """
    end_allowances([merged_id])
    account = selectors.standing(user_id=merged_id, now=clock.now())
    return _move(account, survivor_id, merged_id, actor_id, key)


def end_allowances(user_ids: Sequence[int]) -> int:
    """End the monthly allowances of customers who are none any more; how many. Periods that began stay granted."""
    having = CreditAccount.objects.filter(pk__in=user_ids, monthly_allowance__gt=0).order_by("pk")
    ended = list(having.values_list("pk", flat=True))
    for user_id in ended:
        set_allowance(user_id=user_id, amount=Decimal(0), period_start=clock.now())
    return len(ended)


def settle_merged() -> int:
    """Carry on what was booked since on the accounts of those who were merged: credits move to who stayed, who pays
    what became due as far as they can. On how many accounts.

    Usage from before a merge is given back, and a payment clawed back, where it was booked.
    """
    open_accounts = Q(user__credit_account__balance__gt=0) | Q(user__credit_account__debt__gt=0)
    merged = RetiredCustomer.objects.filter(open_accounts, fate=Fate.MERGED).order_by("pk")
    settled = 0
    for user_id, into_id in merged.values_list("pk", "into_id"):
        try:
            settled += _settle(user_id, into_id)
        except MergeRefused:
            # One account must not keep all others from being settled.
            logger.exception("a merged account was not settled", extra={"user_id": user_id})
    return settled


@transaction.atomic
def _settle(merged_id: int, survivor_id: int) -> bool:
    # Both persons before either account, in order, as every act does.
    Opened.of_users([merged_id, survivor_id])
    now = clock.now()
    left = selectors.standing(user_id=merged_id, now=now)
    if not left.debt:
        moved = _move(left, survivor_id, merged_id, None, f"merge:{merged_id}:{survivor_id}:rest:{left.seq}")
        return bool(moved["lots"])
    amount = min(left.debt, selectors.standing(user_id=survivor_id, now=now).available)
    if amount <= 0:
        return False
    key = f"merge:{merged_id}:{survivor_id}:debt:{left.seq}"
    told = f"Debt of customer {merged_id}, who was merged into this one"
    _post(
        [
            _posting(survivor_id, -amount, f"{key}:out", key, told, None),
            _posting(merged_id, amount, f"{key}:in", key, f"Paid by customer {survivor_id}", None),
        ]
    )
    return True


def _move(
    account: allocation.Account, survivor_id: int, merged_id: int, actor_id: int | None, key: str
) -> Mapping[str, Any]:
    """One entry takes what is left in the lots, one for each lot brings it."""
    lots = open_lots(account)
    if not lots:
        return {"credits": "0", "lots": 0}
    total = sum((lot.remaining for lot in lots), Decimal(0))
    leaving = _posting(merged_id, -total, f"{key}:out", key, f"Merged into customer {survivor_id}", actor_id)
    arriving = [
        _posting(
            survivor_id,
            lot.remaining,
            f"{key}:in:{lot.id}",
            key,
            f"Merged from customer {merged_id}",
            actor_id,
            terms=lot.terms,
            paid_minor=_paid_for_rest(lot),
        )
        for lot in lots
    ]
    _post([leaving, *arriving])
    return {"credits": plain_credits(total), "lots": len(lots)}


def _posting(
    user_id: int,
    amount: Decimal,
    key: str,
    reference: str,
    description: str,
    actor_id: int | None,
    *,
    terms: allocation.LotTerms | None = None,
    paid_minor: int | None = None,
) -> Posting:
    terms = terms or allocation.LotTerms()
    return Posting(
        user_id=user_id,
        kind=TransactionKind.ADJUSTMENT,
        amount=amount,
        idempotency_key=key,
        reference=reference,
        description=description,
        actor_id=actor_id,
        expires_at=terms.expires_at,
        priority=terms.priority,
        paid_minor=paid_minor,
        currency=terms.currency if paid_minor is not None else "",
    )


def _post(postings: Sequence[Posting]) -> None:
    for outcome in post_batch(postings):
        if isinstance(outcome, Rejection):
            # Something lapsed or came due between the look and the lock: nothing has moved.
            raise MergeRefused(str(outcome.error)) from outcome.error


def open_lots(account: allocation.Account) -> list[allocation.Lot]:
    """The lots that would move."""
    return [lot for lot in account.lots if lot.remaining]


def _paid_for_rest(lot: allocation.Lot) -> int | None:
    """What of the money for a lot is not spent yet, in minor units: the last draw takes what is left by rounding."""
    if lot.terms.paid_minor is None:
        return None
    return lot.terms.paid_minor - (lot.value_of_first(lot.amount - lot.remaining) or 0)
