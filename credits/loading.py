"""Rows of the ledger as the core knows them. Times come as datetimes or, from JSON, as ISO 8601 text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from credits import allocation
from credits.kinds import HoldState

Row = Mapping[str, Any]


def account(row: Row) -> allocation.Account:
    """An account without its lots, holds and debts."""
    return allocation.Account(
        user_id=row["user_id"],
        balance=row["balance"],
        held=row["held"],
        debt=row["debt"],
        seq=row["seq"],
        last_posted_at=moment(row["last_posted_at"]),
        lifetime_purchased=row["lifetime_purchased"],
        lifetime_consumed=row["lifetime_consumed"],
        period_consumed=row["current_period_consumed"],
        period_started_at=moment(row["period_started_at"]),
        period_seq=row["period_seq"],
        has_allowance=row["has_allowance"],
    )


def lot(row: Row) -> allocation.Lot:
    """A lot; ``opened_seq`` is the number of the entry that opened it."""
    return allocation.Lot(
        id=row["id"],
        opened_seq=row["opened_seq"],
        amount=row["amount"],
        remaining=row["remaining"],
        terms=allocation.LotTerms(
            priority=row["priority"],
            expires_at=moment(row["expires_at"]),
            paid_minor=row["paid_minor"],
            currency=row["currency"],
        ),
        parent_id=row["parent_id"],
    )


def open_hold(row: Row) -> allocation.Hold:
    """A hold that is open."""
    expires_at = moment(row["expires_at"])
    if expires_at is None:
        raise ValueError("a hold without end")
    return allocation.Hold(id=row["id"], amount=row["amount"], expires_at=expires_at, reference=row["reference"])


def closed_hold(row: Row) -> allocation.Hold:
    """A hold that was captured, released or has expired."""
    hold = open_hold(row)
    hold.state = HoldState(row["state"])
    hold.captured = row["captured"]
    hold.closed_at = moment(row["closed_at"])
    return hold


def debt(row: Row) -> allocation.Debt:
    """A debt that is not paid."""
    return allocation.Debt(entry=row["transaction_id"], amount=row["amount"], remaining=row["remaining"])


def moment(value: datetime | str | None) -> datetime | None:
    """The time as such."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
