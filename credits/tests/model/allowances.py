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

    def set_allowance(self, *, user_id: int, amount: Decimal, anchor: datetime) -> list[Answer] | Refusal:
        """So much each month from ``anchor`` on. The running period is granted at once, or what it lacks."""
        if amount == 0:
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

    def consumed_this_period(self, user_id: int) -> Decimal:
        """Since the last grant for a new period; without an allowance since the month began, if that was later."""
        account = self.account(user_id)
        begun_by = self.begun_by.get(user_id)
        counted = account.entries[begun_by.seq :] if begun_by else account.entries
        if user_id not in self.allowances:
            month = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            counted = [entry for entry in counted if entry.at >= month]
        return account.consumed_by(counted)


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
