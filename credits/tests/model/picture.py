"""Everything an account holds, in plain values: two ledgers agree when their pictures are equal."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from credits.tests.model.books import Books
from credits.tests.model.records import Account, Entry, Lot


@dataclass(frozen=True)
class Picture:
    """Lots go by their place in the order they were opened, entries by their number."""

    balance: Decimal
    held: Decimal
    debt: Decimal
    lots_total: Decimal
    lifetime_purchased: Decimal
    lifetime_consumed: Decimal
    lots: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    debts: list[tuple[int, Decimal, Decimal]]
    holds: list[dict[str, Any]]

    def differences(self, other: "Picture") -> list[str]:
        """Where ``other`` says something else, line by line."""
        found = []
        for name in (field.name for field in fields(self)):
            mine, theirs = getattr(self, name), getattr(other, name)
            if not isinstance(mine, list):
                mine, theirs = [mine], [theirs]
            for place in range(max(len(mine), len(theirs))):
                one, two = _at(mine, place), _at(theirs, place)
                if one != two:
                    found.append(f"{name}[{place}]: {one}\n    but {two}")
        return found


def _at(items: list[Any], place: int) -> Any:
    return items[place] if place < len(items) else "nothing"


def of_model(books: Books, user_id: int) -> Picture:
    account = books.accounts.get(user_id) or Account(user_id)
    return Picture(
        balance=account.balance,
        held=account.held,
        debt=account.debt,
        lots_total=account.lots_total,
        lifetime_purchased=account.lifetime_purchased(),
        lifetime_consumed=account.consumed_by(account.entries),
        lots=[_lot(lot) for lot in account.lots],
        entries=[_entry(entry) for entry in account.entries],
        debts=[
            (debt.entry.seq, debt.amount, debt.remaining)
            for debt in sorted(account.debts, key=lambda debt: debt.entry.seq)
        ],
        holds=[
            hold_picture(hold.amount, hold.state, hold.expires_at, hold.captured, hold.entry and hold.entry.seq)
            for hold in account.holds
        ],
    )


def _lot(lot: Lot) -> dict[str, Any]:
    return {
        "amount": lot.amount,
        "remaining": lot.remaining,
        "paid_minor": lot.paid_minor,
        "currency": lot.currency,
        "expires_at": lot.expires_at,
        "priority": lot.priority,
        "source": lot.entry.kind,
        "entry": lot.entry.seq,
        "parent": lot.parent.number if lot.parent else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "amount": entry.amount,
        "balance_before": entry.balance_before,
        "balance_after": entry.balance_after,
        "at": entry.at,
        "reverses": entry.reverses.seq if entry.reverses else None,
        "draws": [(draw.lot.number, draw.amount) for draw in entry.draws],
    }


def hold_picture(
    amount: Decimal, state: str, expires_at: datetime, captured: Decimal, seq: int | None
) -> dict[str, Any]:
    return {"amount": amount, "state": state, "expires_at": expires_at, "captured": captured, "entry": seq}
