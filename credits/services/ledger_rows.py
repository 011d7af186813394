"""Loading the accounts of a batch under their locks and writing back what the core decided."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import User
from credits import allocation
from credits.errors import DemoCustomer, UnknownUser
from credits.models import CreditAccount, CreditDraw, CreditLot, CreditTransaction
from credits.postings import Posting


@dataclass
class Booked:
    """An entry decided for an account, and the posting that asked for it (none: an expiry)."""

    account: allocation.Account
    entry: allocation.Entry
    posting: Posting | None = None
    row: CreditTransaction | None = None
    replayed: bool = False
    first: "Booked | None" = None

    @property
    def transaction_id(self) -> int:
        """The id of the entry, which has one only after the batch is written."""
        row = self.first.row if self.first else self.row
        if row is None:
            raise RuntimeError("the entry is not written yet")
        return row.pk

    def as_replay(self) -> "Booked":
        """The same entry, as the answer to a key that came twice in one batch."""
        return replace(self, replayed=True, first=self)


class LockedAccounts:
    """The accounts of a batch, locked until the transaction ends."""

    def __init__(self, accounts: Mapping[int, allocation.Account], demo_users: Collection[int]) -> None:
        self._accounts = accounts
        self._demo_users = demo_users
        self._changed: set[int] = set()

    @classmethod
    def of(cls, user_ids: Collection[int]) -> "LockedAccounts":
        """Lock these customers and their accounts in id order, making the accounts that are missing.

        The order of the house is person, account, figures: whoever changes a person locks that row first, and the
        figures follow by a trigger. A post that took the account alone would meet them head-on.
        """
        people = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids, is_staff=False).order_by("pk")
        customers = dict(people.values_list("pk", "demo_mode"))
        charged = [pk for pk, is_demo in customers.items() if not is_demo]
        _make_missing(charged)
        # One order for all writers, so that two batches over the same accounts queue instead of deadlocking.
        # No key update: inserts of entries take a key share lock on the account through their foreign key.
        rows = CreditAccount.objects.select_for_update(no_key=True).filter(pk__in=charged).order_by("pk")
        accounts = {row.pk: _account(row) for row in rows}
        for lot in _open_lots(accounts):
            accounts[lot.account_id].lots.append(_lot(lot))
        return cls(accounts, {pk for pk, is_demo in customers.items() if is_demo})

    def account(self, user_id: int) -> allocation.Account:
        """The locked account of a customer. Raises UnknownUser, DemoCustomer."""
        if user_id in self._demo_users:
            raise DemoCustomer(user_id)
        if user_id not in self._accounts:
            raise UnknownUser(user_id)
        return self._accounts[user_id]

    def book_lapsed(self, *, now: datetime) -> list[Booked]:
        """Decide the expiry entries of all these accounts."""
        return [
            Booked(account, entry)
            for account in self._accounts.values()
            for entry in allocation.book_lapsed(account, now=now)
        ]

    def write(self, booked: Sequence[Booked], *, now: datetime) -> None:
        """Insert the entries with their lots and draws, then bring lots and accounts up to date."""
        if not booked:
            return
        for item, row in zip(booked, _insert_entries(booked), strict=True):
            item.row = row
        _insert_lots(booked)
        _insert_draws(booked)
        _update_lots(booked)
        changed = {item.account.user_id: item.account for item in booked}
        _update_accounts(changed.values(), now)
        self._changed |= changed.keys()

    def balances_of_changed(self) -> dict[int, Decimal]:
        """The new balance of each account that was written to, by user id."""
        return {user_id: self._accounts[user_id].balance for user_id in self._changed}


def _make_missing(user_ids: Sequence[int]) -> None:
    existing = set(CreditAccount.objects.filter(pk__in=user_ids).values_list("pk", flat=True))
    missing = [CreditAccount(user_id=pk) for pk in user_ids if pk not in existing]
    if missing:
        CreditAccount.objects.bulk_create(missing, ignore_conflicts=True)


def _open_lots(accounts: Collection[int]) -> Iterable[CreditLot]:
    return (
        CreditLot.objects.filter(account__in=accounts, remaining__gt=0)
        .select_related("transaction")
        .only(
            "account_id",
            "amount",
            "remaining",
            "priority",
            "expires_at",
            "paid_minor",
            "currency",
            "transaction__seq",
        )
    )


def _account(row: CreditAccount) -> allocation.Account:
    return allocation.Account(
        user_id=row.pk,
        balance=row.balance,
        seq=row.seq,
        last_posted_at=row.last_posted_at,
        lifetime_purchased=row.lifetime_purchased,
        lifetime_consumed=row.lifetime_consumed,
    )


def _lot(row: CreditLot) -> allocation.Lot:
    return allocation.Lot(
        id=row.pk,
        opened_seq=row.transaction.seq,
        amount=row.amount,
        remaining=row.remaining,
        terms=allocation.LotTerms(
            priority=row.priority, expires_at=row.expires_at, paid_minor=row.paid_minor, currency=row.currency
        ),
    )


def _insert_entries(booked: Sequence[Booked]) -> list[CreditTransaction]:
    return CreditTransaction.objects.bulk_create([_entry_row(item) for item in booked])


def _entry_row(item: Booked) -> CreditTransaction:
    entry = item.entry
    return CreditTransaction(
        account_id=item.account.user_id,
        seq=entry.seq,
        kind=entry.kind,
        amount=entry.amount,
        balance_before=entry.balance_before,
        balance_after=entry.balance_after,
        created_at=entry.created_at,
        **(_told(item.posting, entry) if item.posting else _expiry(entry)),
    )


def _told(posting: Posting, entry: allocation.Entry) -> dict[str, Any]:
    return {
        "action_type": posting.action_type,
        "description": posting.description,
        "reference": posting.reference,
        "metadata": dict(posting.metadata),
        "actor_id": posting.actor_id,
        "event_at": posting.event_at or entry.created_at,
    }


def _expiry(entry: allocation.Entry) -> dict[str, Any]:
    lot = entry.draws[0].lot
    return {"description": "Credits expired", "event_at": lot.terms.expires_at}


def _insert_lots(booked: Sequence[Booked]) -> None:
    opened = [(item, item.entry.opens) for item in booked if item.entry.opens]
    rows = CreditLot.objects.bulk_create([_lot_row(item, lot) for item, lot in opened])
    for (_, lot), row in zip(opened, rows, strict=True):
        lot.id = row.pk


def _lot_row(item: Booked, lot: allocation.Lot) -> CreditLot:
    return CreditLot(
        account_id=item.account.user_id,
        transaction=item.row,
        source_kind=item.entry.kind,
        amount=lot.amount,
        remaining=lot.remaining,
        priority=lot.terms.priority,
        expires_at=lot.terms.expires_at,
        paid_minor=lot.terms.paid_minor,
        currency=lot.terms.currency,
        created_at=item.entry.created_at,
    )


def _insert_draws(booked: Sequence[Booked]) -> None:
    CreditDraw.objects.bulk_create(
        [
            CreditDraw(transaction=item.row, lot_id=_written(draw.lot), amount=draw.amount)
            for item in booked
            for draw in item.entry.draws
        ]
    )


def _written(lot: allocation.Lot) -> int:
    if lot.id is None:
        raise RuntimeError("lots are written before what is drawn on them")
    return lot.id


def _update_lots(booked: Sequence[Booked]) -> None:
    # Lots opened by this batch were inserted with what remains of them after it.
    opened = {item.entry.opens.id for item in booked if item.entry.opens}
    drawn = {draw.lot.id: draw.lot.remaining for item in booked for draw in item.entry.draws}
    changed = {pk: remaining for pk, remaining in drawn.items() if pk not in opened}
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE credits_creditlot AS lot SET remaining = new.remaining"
            " FROM unnest(%s::bigint[], %s::numeric[]) AS new(id, remaining) WHERE lot.id = new.id",
            [list(changed), list(changed.values())],
        )


def _update_accounts(accounts: Iterable[allocation.Account], now: datetime) -> None:
    rows = [
        (
            a.user_id,
            a.balance,
            a.lots_total,
            a.seq,
            a.last_posted_at,
            a.lifetime_purchased,
            a.lifetime_consumed,
        )
        for a in accounts
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE credits_creditaccount AS account SET balance = new.balance, lots_total = new.lots_total,"
            " seq = new.seq, last_posted_at = new.last_posted_at, lifetime_purchased = new.lifetime_purchased,"
            " lifetime_consumed = new.lifetime_consumed, updated_at = %s"
            " FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::bigint[], %s::timestamptz[],"
            " %s::numeric[], %s::numeric[]) AS new(user_id, balance, lots_total, seq, last_posted_at,"
            " lifetime_purchased, lifetime_consumed)"
            " WHERE account.user_id = new.user_id",
            [now, *(list(column) for column in zip(*rows, strict=True))],
        )
