"""Allowances in the model: what a plan grants each month, once."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from credits.tests.model.ledger import Ledger, check
from credits.tests.model.records import ZERO, Answer, Entry, Refusal, Refused


@dataclass
class Allowance:
    amount: Decimal
    anchor: datetime
    next_reset_at: datetime


@dataclass
class FullLedger(Ledger):
    """All acts, allowances among them."""

    allowances: dict[int, Allowance] = field(default_factory=dict)
    granted: dict[tuple[int, datetime], Decimal] = field(default_factory=dict)
    # The grant with which each customer's running period of consumption began.
    begun_by: dict[int, Entry] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    def set_allowance(self, *, user_id: int, amount: Decimal, anchor: datetime) -> list[Answer] | Refusal:
        """So much each month from ``anchor`` on. The running period is granted at once, or what it lacks."""
        if amount == 0:
            self.ended |= {user_id} & self.allowances.keys()
            self.allowances.pop(user_id, None)
            return []
        try:
            check(amount)
        except Refused as refused:
            return Refusal(refused.code)
        start, end = period_at(anchor, self.now)
        answers = self._grant(user_id, amount, start, end)
        if answers and isinstance(answers[0], Refusal):
            return answers[0]
        self.allowances[user_id] = Allowance(amount, anchor, end)
        return answers

    def reset_allowances(self) -> int:
        """How many were granted. Who missed several periods gets the running one."""
        granted = 0
        for user_id, plan in self.allowances.items():
            if plan.next_reset_at <= self.now:
                start, plan.next_reset_at = period_at(plan.anchor, self.now)
                granted += len(self._grant(user_id, plan.amount, start, plan.next_reset_at))
        return granted

    def _grant(self, user_id: int, amount: Decimal, start: datetime, end: datetime) -> list[Answer]:
        before = self.granted.get((user_id, start))
        lacking = amount - (before or ZERO)
        if lacking <= 0:
            return []
        key = f"allowance:{user_id}:{start}:{amount}"
        answer = self.add(user_id=user_id, kind="allowance", amount=lacking, key=key, expires_at=end)
        if not isinstance(answer, Refusal):
            self.granted[user_id, start] = amount
            if before is None:
                self.begun_by[user_id] = self.account(user_id).entries[-1]
        return [answer]

    def consumed_this_period(self, user_id: int) -> Decimal | None:
        """Since the first grant of the running period, or the start of the month; None for who ended an allowance."""
        account = self.account(user_id)
        if user_id in self.ended:
            return None
        if user_id in self.allowances:
            return account.consumed_by(account.entries[self.begun_by[user_id].seq :])
        month = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return account.consumed_by([entry for entry in account.entries if entry.at >= month])


def reset(anchor: datetime, number: int) -> datetime:
    """The reset ``number`` months after the anchor; the day clamps to the end of a shorter month."""
    years, month = divmod(anchor.month - 1 + number, 12)
    year, month = anchor.year + years, month + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, monthrange(year, month)[1]))


def period_at(anchor: datetime, now: datetime) -> tuple[datetime, datetime]:
    number = 0
    while reset(anchor, number + 1) <= now:
        number += 1
    return reset(anchor, number), reset(anchor, number + 1)
