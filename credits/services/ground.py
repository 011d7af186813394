"""What acts are decided on: their accounts, locked and loaded, and the entries and holds that they name."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from backoffice.lib import clock, statements
from credits import allocation, loading, originals
from credits.errors import UnknownUser
from credits.models import CreditHold, CreditTransaction
from credits.postings import Act, Ground, Holder, Target

# Locks, then reads: one round trip, and each step sees what was committed while the one before it waited.
OPEN = "SELECT credits_open_accounts(%s::bigint[], %s::text[], %s, %s)::text"
LOCK = "SELECT credits_lock_accounts(%s::bigint[], %s)"


def lock(acts: Sequence[Act]) -> set[int]:
    """Lock the accounts that these acts lead to, in order, until the transaction ends; the customers they are of."""
    owners = Owners.of([act.target for act in acts])
    (locked,) = statements.ask(LOCK, [statements.array(owners.user_ids), clock.now()]).fetchone()
    return set(locked or ())


class Opened:
    """The accounts of a batch, locked until the transaction ends, and what its acts name."""

    def __init__(self, owners: "Owners", answer: Mapping[str, Any]) -> None:
        self.entry_ids: list[int] = answer["entry_ids"] or []
        self.keys: dict[str, tuple[str, dict[str, Any]]] = {
            row["key"]: (row["fingerprint"], row["result"]) for row in answer["keys"] or []
        }
        self._owners = owners
        self._holders: dict[int, Holder] = {}
        self._accounts: dict[int, allocation.Account] = {}
        self._lots: dict[int, allocation.Lot] = {}
        self._holds: dict[int, allocation.Hold] = {}
        self._originals: Mapping[int, allocation.Original] = {}
        self._fill(answer)

    @classmethod
    def of(cls, acts: Sequence[Act]) -> "Opened":
        """Lock the accounts that these acts lead to and load them."""
        owners = Owners.of([act.target for act in acts])
        return cls(owners, _open(owners.user_ids, [act.idempotency_key for act in acts]))

    @classmethod
    def of_users(cls, user_ids: Collection[int]) -> "Opened":
        """Lock and load the accounts of these customers, for what follows from time alone."""
        return cls(Owners(set(user_ids)), _open(user_ids, []))

    def ground(self, act: Act, now: datetime) -> Ground:
        """What the act is decided on, settled. Raises UnknownUser, UnknownTransaction, UnknownHold."""
        user_id = self._owners.owner_of(act.target)
        if user_id not in self._accounts:
            raise UnknownUser(user_id)
        account = self._accounts[user_id]
        # Settled even if the act is refused: it follows from time alone. And at each act of a batch, since the one
        # before may have left a lapsed lot without its holds.
        allocation.settle(account, now=now)
        return Ground(
            now=now,
            holder=self._holders[user_id],
            account=account,
            original=self._originals.get(act.target.transaction_id or 0),
            hold=self._holds.get(act.target.hold_id or 0),
        )

    def settle_all(self, now: datetime) -> None:
        """Book what time has done to each account."""
        for account in self._accounts.values():
            allocation.settle(account, now=now)

    def changed(self) -> list[allocation.Account]:
        """The accounts for which something was decided."""
        return [account for account in self._accounts.values() if account.journal]

    def _fill(self, answer: Mapping[str, Any]) -> None:
        for row in answer["accounts"] or []:
            self._holders[row["user_id"]] = _holder(row)
            self._accounts[row["user_id"]] = loading.account(row)
        for row in answer["lots"] or []:
            self._lots[row["id"]] = loading.lot(row)
            self._accounts[row["account_id"]].lots.append(self._lots[row["id"]])
        for row in answer["holds"] or []:
            self._holds[row["id"]] = loading.open_hold(row)
            self._accounts[row["account_id"]].open_holds.append(self._holds[row["id"]])
        for row in answer["debts"] or []:
            self._accounts[row["account_id"]].debts.append(loading.debt(row))
        for account in self._accounts.values():
            account.lots.sort(key=lambda lot: lot.draw_order)
        self._fill_named()

    def _fill_named(self) -> None:
        closed = self._owners.hold_ids - self._holds.keys()
        if closed:
            rows = CreditHold.objects.filter(pk__in=closed).values()
            self._holds |= {row["id"]: loading.closed_hold(row) for row in rows}
        if self._owners.transaction_ids:
            debts = {
                debt.entry: debt
                for account in self._accounts.values()
                for debt in account.debts
                if isinstance(debt.entry, int)
            }
            self._originals = originals.load(self._owners.transaction_ids, lots=self._lots, debts=debts)


class Owners:
    """Whose accounts entries and holds are on: facts that never change, read before the lock."""

    def __init__(
        self,
        user_ids: set[int],
        by_transaction: Mapping[int, int] | None = None,
        by_hold: Mapping[int, int] | None = None,
    ) -> None:
        self._by_transaction = by_transaction or {}
        self._by_hold = by_hold or {}
        self.user_ids = user_ids | {*self._by_transaction.values()} | {*self._by_hold.values()}

    @classmethod
    def of(cls, targets: Iterable[Target]) -> "Owners":
        users, entries, holds = set(), set(), set()
        for target in targets:
            if target.user_id is not None:
                users.add(target.user_id)
            elif target.transaction_id is not None:
                entries.add(target.transaction_id)
            elif target.hold_id is not None:
                holds.add(target.hold_id)
        return cls(users, _accounts_of(CreditTransaction, entries), _accounts_of(CreditHold, holds))

    @property
    def transaction_ids(self) -> set[int]:
        return {*self._by_transaction}

    @property
    def hold_ids(self) -> set[int]:
        return {*self._by_hold}

    def owner_of(self, target: Target) -> int:
        """The user id behind a target. Raises UnknownTransaction, UnknownHold."""
        if target.user_id is not None:
            return target.user_id
        found = self._by_hold.get(target.hold_id or 0) or self._by_transaction.get(target.transaction_id or 0)
        if found is None:
            raise target.unknown()
        return found


def _accounts_of(model: type[CreditTransaction | CreditHold], ids: set[int]) -> dict[int, int]:
    return dict(model.objects.filter(pk__in=ids).values_list("pk", "account_id")) if ids else {}


def _open(user_ids: Collection[int], keys: Sequence[str]) -> Any:
    cursor = statements.ask(OPEN, [statements.array(user_ids), statements.array(keys), len(keys), clock.now()])
    (answer,) = cursor.fetchone()
    return json.loads(answer, parse_float=Decimal)


def _holder(row: Mapping[str, Any]) -> Holder:
    return Holder(
        user_id=row["user_id"],
        is_demo=row["demo_mode"],
        status=row["status"],
        status_until=loading.moment(row["status_until"]),
    )
