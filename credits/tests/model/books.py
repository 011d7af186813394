"""The accounts of the model: what the passing time does to them and how entries, lots and draws are written."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from credits.tests.model.records import ZERO, Account, Debt, Draw, Entry, Hold, Lot, Refused

DEFAULT_PRIORITY = 100
REFUND_GRACE = timedelta(days=30)


@dataclass
class Person:
    is_demo: bool = False
    status: str = "active"
    status_until: datetime | None = None

    def barred_as(self, now: datetime) -> str | None:
        """What to answer to a spend of this person, if not yes."""
        over = self.status_until is not None and self.status_until <= now
        if self.status == "suspended" and not over:
            return "user_suspended"
        return "user_banned" if self.status == "banned" else None


@dataclass
class Books:
    """All accounts. ``now`` is the clock; the customers of the house are in ``people``, by id."""

    now: datetime
    people: dict[int, Person] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)

    def set_status(self, *, user_id: int, status: str, until: datetime | None = None) -> None:
        self.people[user_id].status = status
        self.people[user_id].status_until = until

    def account(self, user_id: int) -> Account:
        return self.accounts.setdefault(user_id, Account(user_id))

    def settle(self, account: Account) -> None:
        """What the time has done: holds end, debts are paid, lots lapse."""
        for hold in account.holds:
            if hold.state == "open" and hold.expires_at <= self.now:
                hold.state = "expired"
        self.pay_debts(account)
        for lot in account.in_draw_order():
            lapsed = account.free(lot) if lot.has_lapsed(self.now) else ZERO
            if lapsed:
                self.draw(self.book(account, "expiry", -lapsed), lot, lapsed)

    def pay_debts(self, account: Account, first: list[Debt] | None = None) -> None:
        """Credits that are free of holds pay: the debts named ``first``, then the oldest."""
        for debt in (first or []) + account.open_debts():
            debt.remaining = self.draw_free(account, debt.entry, debt.remaining, account.in_draw_order())

    # What the acts refuse

    def begin(self, user_id: int) -> Account:
        """The account of a customer, settled: that stands whatever becomes of the act."""
        if user_id not in self.people:
            raise Refused("unknown_user")
        account = self.account(user_id)
        self.settle(account)
        return account

    def refuse_demo(self, account: Account) -> None:
        if self.people[account.user_id].is_demo:
            raise Refused("demo_customer")

    def refuse_barred(self, account: Account) -> None:
        barred = self.people[account.user_id].barred_as(self.now)
        if barred:
            raise Refused(barred)

    def refuse_beyond(self, account: Account, amount: Decimal) -> None:
        if account.spendable < amount:
            raise Refused("insufficient_credits", max(account.spendable, ZERO))

    # What the acts write

    def book(self, account: Account, kind: str, amount: Decimal, reverses: Entry | None = None) -> Entry:
        before = account.entries[-1].balance_after if account.entries else ZERO
        entry = Entry(account.user_id, len(account.entries) + 1, kind, amount, before, self.now, reverses)
        account.entries.append(entry)
        return entry

    def draw(self, entry: Entry, lot: Lot, amount: Decimal) -> None:
        if amount:
            lot.remaining -= amount
            entry.draws.append(Draw(lot, amount))

    def draw_free(self, account: Account, entry: Entry, amount: Decimal, lots: list[Lot]) -> Decimal:
        """Take up to ``amount`` from what these lots have free of holds; the answer is what was missing."""
        for lot in lots:
            taken = min(amount, account.free(lot))
            self.draw(entry, lot, taken)
            amount -= taken
        return amount

    def open_lot(
        self,
        account: Account,
        entry: Entry,
        amount: Decimal,
        *,
        priority: int = DEFAULT_PRIORITY,
        expires_at: datetime | None = None,
        paid_minor: int | None = None,
        currency: str = "",
        parent: Lot | None = None,
    ) -> None:
        number = len(account.lots)
        account.lots.append(Lot(number, entry, amount, amount, priority, expires_at, paid_minor, currency, parent))

    def open_successor(self, account: Account, entry: Entry, old: Lot, amount: Decimal, worth: int | None) -> None:
        """A lot for credits that come back from ``old``: like it, but they live on if it has lapsed."""
        self.open_lot(
            account,
            entry,
            amount,
            priority=old.priority,
            expires_at=self.now + REFUND_GRACE if old.has_lapsed(self.now) else old.expires_at,
            paid_minor=worth,
            currency=old.currency,
            parent=old.root(),
        )
