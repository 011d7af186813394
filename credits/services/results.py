"""What acts answer: built from what was written, recorded under the key, and read back for a replay."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from credits import allocation
from credits.postings import HoldResult, PostResult

ZERO = Decimal(0)


def answer_for(
    made: allocation.Entry | allocation.Hold | None, account: allocation.Account
) -> Callable[[], PostResult | HoldResult]:
    """A function that answers for what was decided, once its rows have ids."""
    if isinstance(made, allocation.Hold):
        return _hold_answer(made, account.balance)
    return lambda: _entry_answer(made)


def as_replay(first: PostResult | HoldResult) -> PostResult | HoldResult:
    """The first answer again, marked as such."""
    return replace(first, replayed=True)


def as_record(result: PostResult | HoldResult) -> dict[str, Any]:
    """The answer as JSON, to be recorded under its key."""
    if isinstance(result, HoldResult):
        return {
            "hold": result.hold_id,
            "amount": str(result.amount),
            "state": result.state,
            "expires_at": result.expires_at.isoformat(),
            "captured": str(result.captured),
            "id": result.transaction_id,
            "balance_after": str(result.balance_after),
        }
    return {
        "id": result.transaction_id,
        "seq": result.seq,
        "amount": str(result.amount),
        "balance_before": str(result.balance_before),
        "balance_after": str(result.balance_after),
    }


def from_record(record: Mapping[str, Any]) -> PostResult | HoldResult:
    """The answer that was recorded, marked as replayed."""
    if "hold" in record:
        return HoldResult(
            hold_id=record["hold"],
            amount=Decimal(record["amount"]),
            state=record["state"],
            expires_at=datetime.fromisoformat(record["expires_at"]),
            captured=Decimal(record["captured"]),
            transaction_id=record["id"],
            balance_after=Decimal(record["balance_after"]),
            replayed=True,
        )
    return PostResult(
        transaction_id=record["id"],
        seq=record["seq"],
        amount=Decimal(record["amount"]),
        balance_before=Decimal(record["balance_before"]),
        balance_after=Decimal(record["balance_after"]),
        replayed=True,
    )


def _entry_answer(entry: allocation.Entry | None) -> PostResult:
    if entry is None:
        return PostResult(transaction_id=None, seq=None, amount=ZERO, balance_before=ZERO, balance_after=ZERO)
    return PostResult(
        transaction_id=entry.id,
        seq=entry.seq,
        amount=entry.amount,
        balance_before=entry.balance_before,
        balance_after=entry.balance_after,
    )


def _hold_answer(hold: allocation.Hold, balance: Decimal) -> Callable[[], HoldResult]:
    # A later act of the same batch may change the hold and the balance: they are kept as they stand now.
    state, captured = hold.state.value, hold.captured
    return lambda: HoldResult(
        hold_id=_written(hold.id),
        amount=hold.amount,
        state=state,
        expires_at=hold.expires_at,
        captured=captured,
        transaction_id=hold.entry.id if hold.entry else None,
        balance_after=balance,
    )


def _written(row_id: int | None) -> int:
    if row_id is None:
        raise RuntimeError("the row is not written yet")
    return row_id
