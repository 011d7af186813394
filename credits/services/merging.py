"""Credits of a customer who becomes part of another: they move by entries on both ledgers, with terms and value."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

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
    if CreditAccount.objects.filter(pk=merged_id, monthly_allowance__gt=0).exists():
        set_allowance(user_id=merged_id, amount=Decimal(0), period_start=clock.now())
    account = selectors.standing(user_id=merged_id, now=clock.now())
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


def collect_merged_debts() -> int:
    """Let who stayed pay what became due on the accounts of those who were merged into them; on how many.

    A payment that is refunded after a merge is clawed back where it was booked, where nothing is left.
    """
    merged = RetiredCustomer.objects.filter(fate=Fate.MERGED, user__credit_account__debt__gt=0)
    return sum(_collect(user_id, into_id) for user_id, into_id in merged.order_by("pk").values_list("pk", "into_id"))


@transaction.atomic
def _collect(merged_id: int, survivor_id: int) -> bool:
    # Both persons before either account, in order, as every act does.
    Opened.of_users([merged_id, survivor_id])
    now = clock.now()
    owing = selectors.standing(user_id=merged_id, now=now)
    amount = min(owing.debt, selectors.standing(user_id=survivor_id, now=now).available)
    if amount <= 0:
        return False
    key = f"merge:{merged_id}:{survivor_id}:debt:{owing.seq}"
    told = f"Debt of customer {merged_id}, who was merged into this one"
    _post(
        [
            _posting(survivor_id, -amount, f"{key}:out", key, told, None),
            _posting(merged_id, amount, f"{key}:in", key, f"Paid by customer {survivor_id}", None),
        ]
    )
    return True


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
