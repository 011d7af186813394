"""Writing down what the core decided: a fixed number of statements, however many acts there were.

Rows get their ids before they are written, so that each can name the others. Ids are drawn under the accounts' locks
and given out in order, so on one account they grow with its entries.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from backoffice.lib import statements
from credits import allocation
from credits.kinds import TransactionKind
from credits.postings import Note

NEW_IDS = "SELECT nextval(%s) FROM generate_series(1, %s)"

INSERT_ENTRIES = """
INSERT INTO credits_credittransaction (id, account_id, seq, kind, action_type, amount, balance_before, balance_after,
                                       description, reference, actor_id, reverses_id, metadata, event_at, created_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::numeric[], %s::numeric[],
                     %s::numeric[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::jsonb[],
                     %s::timestamptz[], %s::timestamptz[])
"""
INSERT_LOTS = """
INSERT INTO credits_creditlot (id, account_id, transaction_id, parent_id, source_kind, amount, remaining, priority,
                               expires_at, paid_minor, currency, created_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::numeric[], %s::numeric[],
                     %s::smallint[], %s::timestamptz[], %s::bigint[], %s::text[], %s::timestamptz[])
"""
INSERT_DRAWS = """
INSERT INTO credits_creditdraw (transaction_id, lot_id, amount, created_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::timestamptz[])
"""
UPDATE_LOTS = """
UPDATE credits_creditlot AS lot SET remaining = new.remaining
FROM unnest(%s::bigint[], %s::numeric[]) AS new(id, remaining) WHERE lot.id = new.id
"""
UPDATE_ACCOUNTS = """
UPDATE credits_creditaccount AS account
SET balance = new.balance, held = new.held, debt = new.debt, lots_total = new.lots_total, seq = new.seq,
    last_posted_at = new.last_posted_at, lifetime_purchased = new.lifetime_purchased,
    lifetime_consumed = new.lifetime_consumed, current_period_consumed = new.period_consumed,
    period_started_at = new.period_started_at, period_seq = new.period_seq, updated_at = new.updated_at
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::bigint[],
            %s::timestamptz[], %s::numeric[], %s::numeric[], %s::numeric[], %s::timestamptz[], %s::bigint[],
            %s::timestamptz[])
     AS new(user_id, balance, held, debt, lots_total, seq, last_posted_at, lifetime_purchased, lifetime_consumed,
            period_consumed, period_started_at, period_seq, updated_at)
WHERE account.user_id = new.user_id
"""
INSERT_DEBTS = """
INSERT INTO credits_creditdebt (transaction_id, account_id, amount, remaining, created_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::timestamptz[])
"""
UPDATE_DEBTS = """
UPDATE credits_creditdebt AS debt SET remaining = new.remaining
FROM unnest(%s::bigint[], %s::numeric[]) AS new(transaction_id, remaining)
WHERE debt.transaction_id = new.transaction_id
"""
INSERT_HOLDS = """
INSERT INTO credits_credithold (id, account_id, amount, state, reference, expires_at, captured, created_at)
SELECT id, account_id, amount, 'open', reference, expires_at, 0, created_at
FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::text[], %s::timestamptz[], %s::timestamptz[])
     AS new(id, account_id, amount, reference, expires_at, created_at)
"""
CLOSE_HOLDS = """
UPDATE credits_credithold AS hold
SET state = new.state, captured = new.captured, transaction_id = new.transaction_id, closed_at = new.closed_at
FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::bigint[], %s::timestamptz[])
     AS new(id, state, captured, transaction_id, closed_at)
WHERE hold.id = new.id
"""


@dataclass
class Page:
    """What was decided for several accounts, flat, and what the acts say about their entries."""

    accounts: Sequence[allocation.Account]
    notes: Mapping[int, Note]
    now: datetime
    spare_entry_ids: Sequence[int] = ()

    def write(self) -> None:
        """Write all of it; nothing if nothing was decided."""
        if not self.accounts:
            return
        self._give_ids()
        self._write_entries()
        self._write_lots()
        self._write_draws()
        self._write_debts()
        self._write_holds()
        self._write_accounts()

    def _give_ids(self) -> None:
        entries = [entry for _, entry in self._entries()]
        missing = len(entries) - len(self.spare_entry_ids)
        ids = [*self.spare_entry_ids, *_new_ids("credits_credittransaction_id_seq", missing)]
        _give(entries, ids)
        lots = [lot for _, _, lot in self._lots()]
        _give(lots, _new_ids("credits_creditlot_id_seq", len(lots)))
        holds = [hold for account in self.accounts for hold in account.journal.new_holds]
        _give(holds, _new_ids("credits_credithold_id_seq", len(holds)))

    def _entries(self) -> Iterable[tuple[allocation.Account, allocation.Entry]]:
        return ((account, entry) for account in self.accounts for entry in account.journal.entries)

    def _lots(self) -> Iterable[tuple[allocation.Account, allocation.Entry, allocation.Lot]]:
        return ((account, entry, lot) for account, entry in self._entries() for lot in entry.opens)

    def _write_entries(self) -> None:
        _send(INSERT_ENTRIES, [self._entry_row(account, entry) for account, entry in self._entries()])

    def _entry_row(self, account: allocation.Account, entry: allocation.Entry) -> tuple[Any, ...]:
        note = self.notes.get(id(entry)) or _expiry_note(entry)
        return (
            entry.id,
            account.user_id,
            entry.seq,
            entry.kind.value,
            note.action_type,
            entry.amount,
            entry.balance_before,
            entry.balance_after,
            note.description,
            note.reference,
            note.actor_id,
            note.reverses_id,
            json.dumps(note.metadata) if note.metadata else "{}",
            note.event_at or entry.created_at,
            entry.created_at,
        )

    def _write_lots(self) -> None:
        rows = [
            (
                lot.id,
                account.user_id,
                entry.id,
                lot.parent_id,
                entry.kind.value,
                lot.amount,
                lot.remaining,
                lot.terms.priority,
                lot.terms.expires_at,
                lot.terms.paid_minor,
                lot.terms.currency,
                entry.created_at,
            )
            for account, entry, lot in self._lots()
        ]
        _send(INSERT_LOTS, rows)

    def _write_draws(self) -> None:
        rows = [
            (entry.id, draw.lot.id, draw.amount, entry.created_at)
            for _, entry in self._entries()
            for draw in entry.draws
        ]
        # A payment of an older debt is dated now; its entry is older.
        rows += [
            (_entry_id(payment.debt), payment.lot.id, payment.amount, self.now)
            for account in self.accounts
            for payment in account.journal.payments
        ]
        _send(INSERT_DRAWS, rows)
        _send(UPDATE_LOTS, list(self._changed_lots().items()))

    def _changed_lots(self) -> dict[int | None, Decimal]:
        # Lots opened now were inserted with what remains of them at the end.
        opened = {lot.id for _, _, lot in self._lots()}
        drawn = [draw.lot for _, entry in self._entries() for draw in entry.draws]
        drawn += [payment.lot for account in self.accounts for payment in account.journal.payments]
        return {lot.id: lot.remaining for lot in drawn if lot.id not in opened}

    def _write_debts(self) -> None:
        made = [(account, debt) for account in self.accounts for debt in account.journal.debts]
        rows = [(_entry_id(debt), account.user_id, debt.amount, debt.remaining, self.now) for account, debt in made]
        _send(INSERT_DEBTS, rows)
        new = {id(debt) for _, debt in made}
        paid = {
            _entry_id(payment.debt): payment.debt.remaining
            for account in self.accounts
            for payment in account.journal.payments
            if id(payment.debt) not in new
        }
        _send(UPDATE_DEBTS, list(paid.items()))

    def _write_holds(self) -> None:
        made = [
            (hold.id, account.user_id, hold.amount, hold.reference, hold.expires_at, self.now)
            for account in self.accounts
            for hold in account.journal.new_holds
        ]
        _send(INSERT_HOLDS, made)
        closed = [
            (hold.id, hold.state.value, hold.captured, hold.entry.id if hold.entry else None, hold.closed_at)
            for account in self.accounts
            for hold in account.journal.closed_holds
        ]
        _send(CLOSE_HOLDS, closed)

    def _write_accounts(self) -> None:
        rows = [
            (
                account.user_id,
                account.balance,
                account.held,
                account.debt,
                account.lots_total,
                account.seq,
                account.last_posted_at,
                account.lifetime_purchased,
                account.lifetime_consumed,
                account.period_consumed,
                account.period_started_at,
                account.period_seq,
                self.now,
            )
            for account in self.accounts
        ]
        _send(UPDATE_ACCOUNTS, rows)


def _send(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        statements.ask(statement, [statements.array(column) for column in zip(*rows, strict=True)])


def _new_ids(sequence: str, number: int) -> list[int]:
    if number <= 0:
        return []
    return [value for (value,) in statements.ask(NEW_IDS, [sequence, number]).fetchall()]


def _give(rows: Sequence[Any], ids: Sequence[int]) -> None:
    for row, value in zip(rows, sorted(ids), strict=False):
        row.id = value


def _entry_id(debt: allocation.Debt) -> int | None:
    return debt.entry if isinstance(debt.entry, int) else debt.entry.id


def _expiry_note(entry: allocation.Entry) -> Note:
    if entry.kind != TransactionKind.EXPIRY:
        raise RuntimeError("an act is missing its note")
    return Note(description="Credits expired", event_at=entry.draws[0].lot.terms.expires_at)
