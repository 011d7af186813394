"""``users/{external_id}/credits`` and ``/transactions``: what a customer has, and how it came about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from django.db import connection
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from accounts.api.users import ExternalId
from accounts.authentication import IngestKey
from accounts.selectors import customer_by_external_id
from backoffice.lib import clock
from backoffice.lib.api.pagination import PageQuery, page_of
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import AmountOut, UtcTime
from backoffice.lib.snapshot import snapshot
from credits import selectors
from credits.models import CreditLot, CreditTransaction

router = Router(tags=["Credits"], auth=IngestKey())


class LotOut(BaseModel):
    """Credits that came in together. `source` is the kind of the entry, `transaction`, that brought them in."""

    id: int
    source: str
    transaction: int
    amount: AmountOut
    remaining: AmountOut
    priority: int
    expires_at: UtcTime | None


class CreditsOut(BaseModel):
    """The account as a charge at this moment would find it. `lots` are in the order in which they are spent."""

    balance: AmountOut
    held: AmountOut
    available: AmountOut
    debt: AmountOut
    monthly_allowance: AmountOut
    current_month_consumed: AmountOut
    total_consumed: AmountOut
    next_reset_at: UtcTime | None
    lots: list[LotOut]


class TransactionOut(BaseModel):
    """An entry. `amount` is negative where it took; `reverses` is the entry that it gives or takes back."""

    id: int
    seq: int
    kind: str
    amount: AmountOut
    balance_before: AmountOut
    balance_after: AmountOut
    action_type: str
    description: str
    reference: str
    metadata: dict[str, Any]
    reverses: int | None
    event_at: UtcTime
    created_at: UtcTime


class TransactionsOut(BaseModel):
    transactions: list[TransactionOut]
    next_cursor: str | None


@contextmanager
def _at_one_moment() -> Iterator[None]:
    # Whoever is in a transaction already has chosen what it sees.
    if connection.in_atomic_block:
        yield
    else:
        with snapshot():
            yield


@router.get("/{external_id}/credits", response=answers({200: CreditsOut}, 404), summary="What a customer has")
def get_credits(request: HttpRequest, external_id: str = ExternalId) -> Any:
    """The balance and what it is made of.

    `available` is what can be spent: the balance without what is held. What has lapsed is left out already. A balance
    below zero is a debt, which whatever comes in next pays first.
    """
    user_id = customer_by_external_id(external_id).pk
    now = clock.now()
    with _at_one_moment():
        figures = selectors.balance_of(user_id)
        account = selectors.standing(user_id=user_id, now=now)
        lots = selectors.open_lots(account)
    return CreditsOut(
        balance=account.balance,
        held=account.held,
        available=account.available,
        debt=account.debt,
        monthly_allowance=figures.monthly_allowance,
        current_month_consumed=selectors.consumed_in_period(account, now=now),
        total_consumed=account.lifetime_consumed,
        next_reset_at=figures.next_reset_at,
        lots=[_lot(lot) for lot in lots],
    )


def _lot(lot: CreditLot) -> LotOut:
    return LotOut(
        id=lot.pk,
        source=lot.source_kind,
        transaction=lot.transaction_id,
        amount=lot.amount,
        remaining=lot.remaining,
        priority=lot.priority,
        expires_at=lot.expires_at,
    )


@router.get(
    "/{external_id}/transactions", response=answers({200: TransactionsOut}, 404), summary="How a balance came about"
)
def get_transactions(
    request: HttpRequest, query: Annotated[PageQuery, Query(...)], external_id: str = ExternalId
) -> Any:
    """The customer's entries, newest first. `next_cursor` leads to older ones and is null at the end."""
    user_id = customer_by_external_id(external_id).pk
    page = page_of(selectors.entries_of(user_id), query, key="seq", scope=f"transactions:{user_id}")
    return TransactionsOut(transactions=[transaction_out(row) for row in page.rows], next_cursor=page.next_cursor)


def transaction_out(row: CreditTransaction) -> TransactionOut:
    same = {name: getattr(row, name) for name in TransactionOut.model_fields if name != "reverses"}
    return TransactionOut(**same, reverses=row.reverses_id)
