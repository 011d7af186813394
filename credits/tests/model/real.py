"""The services under the model's names: does one act on PostgreSQL and reads back what it wrote."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Customer, User
from backoffice.lib import clock
from credits import errors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditDebt, CreditDraw, CreditHold, CreditLot, CreditTransaction
from credits.postings import Posting
from credits.tests.model.books import DEFAULT_PRIORITY
from credits.tests.model.picture import Picture, hold_picture
from credits.tests.model.records import Answer, EntryName, Held, Posted, Refusal
from tests.factories import CustomerFactory, StaffFactory

NOWHERE = 10**15
"""An id that no row has."""


@dataclass
class RealLedger:
    """The same acts with the same arguments as ``ledger.Ledger``."""

    now: datetime
    staff: User = field(default_factory=StaffFactory)
    holds: list[int] = field(default_factory=list)

    def new_person(self, *, is_demo: bool = False) -> int:
        return CustomerFactory(demo_mode=is_demo).pk

    def set_status(self, *, user_id: int, status: str, until: datetime | None = None) -> None:
        Customer.objects.filter(pk=user_id).update(status=status, status_until=until)

    def add(self, *, kind: str, amount: Decimal, key: str, user_id: int, **terms: Any) -> Answer:
        if kind == "adjustment":
            return self._adjust(user_id, amount, key, **terms)
        return self._answer(lambda: services.post(_addition(user_id, kind, amount, key, **terms)))

    def spend(self, *, user_id: int, kind: str, amount: Decimal, key: str) -> Answer:
        if kind == "adjustment":
            return self._adjust(user_id, -amount, key)
        return self._answer(lambda: services.charge_credits(user_id=user_id, amount=amount, idempotency_key=_key(key)))

    def _adjust(self, user_id: int, amount: Decimal, key: str, **terms: Any) -> Answer:
        return self._answer(
            lambda: services.adjust_credits(
                user_id=user_id, amount=amount, reason="Model", actor=self.staff, idempotency_key=_key(key), **terms
            )
        )

    def place_hold(self, *, user_id: int, amount: Decimal, key: str, lasts: timedelta | None = None) -> Answer:
        return self._answer(
            lambda: services.place_hold(user_id=user_id, amount=amount, idempotency_key=_key(key), expires_in=lasts)
        )

    def capture(self, *, hold: int, amount: Decimal | None, key: str) -> Answer:
        hold_id = self._hold_id(hold)
        return self._answer(lambda: services.capture_hold(hold_id=hold_id, amount=amount, idempotency_key=_key(key)))

    def release(self, *, hold: int, key: str) -> Answer:
        hold_id = self._hold_id(hold)
        return self._answer(lambda: services.release_hold(hold_id=hold_id, idempotency_key=_key(key)))

    def refund(self, *, entry: EntryName, amount: Decimal | None, key: str) -> Answer:
        entry_id = _entry_id(entry)
        return self._answer(
            lambda: services.refund_usage(
                transaction_id=entry_id, amount=amount, reason="Model", idempotency_key=_key(key)
            )
        )

    def claw_back(self, *, entry: EntryName, kind: str, amount: Decimal, key: str) -> Answer:
        entry_id = _entry_id(entry)
        return self._answer(
            lambda: services.claw_back(
                transaction_id=entry_id, kind=TransactionKind(kind), amount=amount, idempotency_key=_key(key)
            )
        )

    def reinstate(self, *, entry: EntryName, key: str) -> Answer:
        entry_id = _entry_id(entry)
        return self._answer(lambda: services.reinstate(transaction_id=entry_id, idempotency_key=_key(key)))

    def batch(self, items: list[tuple[str, dict[str, Any]]]) -> list[Answer]:
        with clock.at(self.now):
            outcomes = services.post_batch([_item(act, told) for act, told in items])
        return [self._plain(outcome) for outcome in outcomes]

    def sweep(self) -> None:
        with clock.at(self.now):
            services.expire_credits()

    def set_allowance(self, *, user_id: int, amount: Decimal, anchor: datetime) -> list[Answer] | Refusal:
        with clock.at(self.now):
            try:
                outcomes = services.set_allowance(user_id=user_id, amount=amount, period_start=anchor)
            except errors.CreditError as refused:
                return Refusal(refused.code, _told(refused))
        return [self._plain(outcome) for outcome in outcomes]

    def reset_allowances(self) -> int:
        with clock.at(self.now):
            return services.reset_allowances()

    def picture(self, user_id: int) -> Picture:
        account = CreditAccount.objects.filter(pk=user_id).first() or CreditAccount(user_id=user_id)
        lots = list(CreditLot.objects.filter(account=user_id).select_related("transaction").order_by("pk"))
        places = {lot.pk: place for place, lot in enumerate(lots)}
        entries = list(CreditTransaction.objects.filter(account=user_id).order_by("seq"))
        seqs = {entry.pk: entry.seq for entry in entries}
        draws = _draws(user_id, places)
        return Picture(
            balance=account.balance,
            held=account.held,
            debt=account.debt,
            lots_total=account.lots_total,
            lifetime_purchased=account.lifetime_purchased,
            lifetime_consumed=account.lifetime_consumed,
            lots=[_lot(lot, places) for lot in lots],
            entries=[_entry(entry, seqs, draws[entry.pk]) for entry in entries],
            debts=[
                (seqs[debt.transaction_id], debt.amount, debt.remaining)
                for debt in CreditDebt.objects.filter(account=user_id).order_by("transaction__seq")
            ],
            holds=[
                hold_picture(hold.amount, hold.state, hold.expires_at, hold.captured, seqs.get(hold.transaction_id))
                for hold in CreditHold.objects.filter(account=user_id).order_by("pk")
            ],
        )

    def consumed_this_period(self, user_id: int) -> Decimal:
        return CreditAccount.objects.values_list("current_period_consumed", flat=True).get(pk=user_id)

    def _hold_id(self, number: int) -> int:
        return self.holds[number] if 0 <= number < len(self.holds) else NOWHERE

    def _answer(self, act: Callable[[], Any]) -> Answer:
        with clock.at(self.now):
            try:
                outcome = act()
            except errors.CreditError as refused:
                outcome = services.Rejection(refused)
        return self._plain(outcome)

    def _plain(self, outcome: Any) -> Answer:
        if isinstance(outcome, services.Rejection):
            return Refusal(outcome.error.code, _told(outcome.error))
        if isinstance(outcome, services.PostResult):
            return Posted(outcome.seq, outcome.amount, outcome.balance_before, outcome.balance_after, outcome.replayed)
        if outcome.hold_id not in self.holds:
            self.holds.append(outcome.hold_id)
        return Held(
            self.holds.index(outcome.hold_id),
            outcome.amount,
            outcome.state,
            outcome.expires_at,
            outcome.captured,
            _seq(outcome.transaction_id),
            outcome.replayed,
        )


def _key(key: str) -> str:
    return f"model:{key}"


def _addition(user_id: int, kind: str, amount: Decimal, key: str, **terms: Any) -> Posting:
    return Posting(user_id=user_id, kind=TransactionKind(kind), amount=amount, idempotency_key=_key(key), **terms)


def _item(act: str, told: dict[str, Any]) -> Posting:
    if act == "add":
        return _addition(**told)
    return _addition(**told | {"amount": -told["amount"]}, priority=DEFAULT_PRIORITY)


def _told(error: errors.CreditError) -> Decimal | str | None:
    """The figure or state that a refusal names."""
    for name in ("available", "left", "held", "state"):
        if hasattr(error, name):
            return getattr(error, name)
    return None


def _entry_id(name: EntryName) -> int:
    user_id, seq = name
    found = CreditTransaction.objects.filter(account=user_id, seq=seq).values_list("pk", flat=True)
    return next(iter(found), NOWHERE)


def _seq(transaction_id: int | None) -> int | None:
    return transaction_id and CreditTransaction.objects.values_list("seq", flat=True).get(pk=transaction_id)


def _draws(user_id: int, places: dict[int, int]) -> dict[int, list[tuple[int, Decimal]]]:
    draws = defaultdict(list)
    for draw in CreditDraw.objects.filter(transaction__account=user_id).order_by("pk"):
        draws[draw.transaction_id].append((places[draw.lot_id], draw.amount))
    return draws


def _lot(lot: CreditLot, places: dict[int, int]) -> dict[str, Any]:
    return {
        "amount": lot.amount,
        "remaining": lot.remaining,
        "paid_minor": lot.paid_minor,
        "currency": lot.currency,
        "expires_at": lot.expires_at,
        "priority": lot.priority,
        "source": lot.source_kind,
        "entry": lot.transaction.seq,
        "parent": places[lot.parent_id] if lot.parent_id else None,
    }


def _entry(entry: CreditTransaction, seqs: dict[int, int], draws: list[tuple[int, Decimal]]) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "amount": entry.amount,
        "balance_before": entry.balance_before,
        "balance_after": entry.balance_after,
        "at": entry.created_at,
        "reverses": seqs[entry.reverses_id] if entry.reverses_id else None,
        "draws": draws,
    }
