"""The rules of docs/ledger.md a second time, as plainly as Python says them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from credits.tests.model.books import DEFAULT_PRIORITY, Books
from credits.tests.model.records import (
    ZERO,
    Account,
    Answer,
    Debt,
    Entry,
    EntryName,
    Held,
    Hold,
    Posted,
    Refusal,
    Refused,
)

LARGEST = Decimal(1_000_000_000)
SMALLEST = Decimal("0.0001")
HOLD_LASTS = timedelta(hours=24)
CLAWBACKS = ("reversal", "chargeback")


@dataclass
class Ledger(Books):
    """The acts. Each answers what it did or why it was refused, and never raises."""

    keys: dict[str, tuple[object, Posted | Held]] = field(default_factory=dict)

    def add(
        self,
        *,
        user_id: int,
        kind: str,
        amount: Decimal,
        key: str,
        priority: int = DEFAULT_PRIORITY,
        expires_at: datetime | None = None,
        paid_minor: int | None = None,
        currency: str = "",
    ) -> Answer:
        """purchase, gift, bonus, referral, redemption, allowance, adjustment +"""

        def act() -> Posted:
            account = self.begin(user_id)
            self.refuse_demo(account)
            if expires_at is not None and expires_at <= self.now:
                raise Refused("invalid_expiry")
            entry = self.book(account, kind, amount)
            self.open_lot(
                account,
                entry,
                amount,
                priority=priority,
                expires_at=expires_at,
                paid_minor=paid_minor,
                currency=currency,
            )
            self.pay_debts(account)
            return _posted(entry)

        content = ("post", user_id, kind, amount, priority, expires_at, paid_minor, currency)
        return self._once(key, content, act, amount)

    def spend(self, *, user_id: int, kind: str, amount: Decimal, key: str) -> Answer:
        """usage, adjustment -; ``amount`` is positive."""

        def act() -> Posted:
            account = self.begin(user_id)
            if kind == "usage":
                self.refuse_barred(account)
            if kind == "usage" and self.people[user_id].is_demo:
                return Posted(None, ZERO, ZERO, ZERO)
            self.refuse_demo(account)
            self.refuse_beyond(account, amount)
            entry = self.book(account, kind, -amount)
            self.draw_free(account, entry, amount, account.in_draw_order())
            return _posted(entry)

        content = ("post", user_id, kind, -amount, DEFAULT_PRIORITY, None, None, "")
        return self._once(key, content, act, amount)

    def place_hold(self, *, user_id: int, amount: Decimal, key: str, lasts: timedelta | None = None) -> Answer:
        def act() -> Held:
            account = self.begin(user_id)
            self.refuse_barred(account)
            reserved = ZERO if self.people[user_id].is_demo else amount
            self.refuse_beyond(account, reserved)
            hold = Hold(len(self.holds), user_id, reserved, self.now + (lasts or HOLD_LASTS))
            self.holds.append(hold)
            account.holds.append(hold)
            return _held(hold)

        return self._once(key, ("hold", user_id, amount, lasts), act, amount)

    def capture(self, *, hold: int, amount: Decimal | None, key: str) -> Answer:
        def act() -> Held:
            found, account = self._open_hold(hold)
            if not self.people[found.user_id].is_demo:
                self._capture(account, found, found.amount if amount is None else amount)
            found.state = "captured"
            self.pay_debts(account)
            return _held(found)

        return self._once(key, ("capture", hold, amount), act, amount)

    def _capture(self, account: Account, hold: Hold, wanted: Decimal) -> None:
        if wanted > hold.amount:
            raise Refused("capture_too_large", hold.amount)
        hold.captured = wanted
        hold.entry = self.book(account, "usage", -wanted)
        for lot in account.in_draw_order():
            taken = min(wanted, lot.remaining)
            self.draw(hold.entry, lot, taken)
            wanted -= taken

    def release(self, *, hold: int, key: str) -> Answer:
        def act() -> Held:
            found, account = self._open_hold(hold)
            found.state = "released"
            self.pay_debts(account)
            return _held(found)

        return self._once(key, ("release", hold), act)

    def refund(self, *, entry: EntryName, amount: Decimal | None, key: str) -> Answer:
        def act() -> Posted:
            account, usage = self._reversible(entry, ("usage",))
            given = sum((refund.amount for refund in account.reversals_of(usage)), ZERO)
            left = -usage.amount - given
            wanted = left if amount is None else amount
            if wanted > left or left == 0:
                raise Refused("refund_too_large", left)
            refund = self.book(account, "refund", wanted, reverses=usage)
            self._give_back(account, usage, refund, given, wanted)
            self.pay_debts(account)
            return _posted(refund)

        return self._once(key, ("refund", entry, amount), act, amount)

    def _give_back(self, account: Account, usage: Entry, refund: Entry, given: Decimal, wanted: Decimal) -> None:
        """The draws of the usage in reverse, past what earlier refunds gave back."""
        for draw in reversed(usage.draws):
            stands_at = min(given, draw.amount)
            given -= stands_at
            part = min(wanted, draw.amount - stands_at)
            wanted -= part
            if part and draw.lot.has_lapsed(self.now):
                worth = draw.lot.worth_between(stands_at, stands_at + part)
                self.open_successor(account, refund, draw.lot, part, worth)
            elif part:
                self.draw(refund, draw.lot, -part)

    def claw_back(self, *, entry: EntryName, kind: str, amount: Decimal, key: str) -> Answer:
        def act() -> Posted:
            account, purchase = self._reversible(entry, ("purchase",))
            standing = [other for other in account.reversals_of(purchase) if not any(account.reversals_of(other))]
            left = purchase.amount + sum((clawback.amount for clawback in standing), ZERO)
            if amount > left:
                raise Refused("clawback_too_large", left)
            clawback = self.book(account, kind, -amount, reverses=purchase)
            order = account.in_draw_order()
            own = [lot for lot in order if lot.root().entry is purchase]
            others = [lot for lot in order if lot not in own]
            missing = self.draw_free(account, clawback, amount, own + others)
            if missing:
                account.debts.append(Debt(clawback, missing, missing))
            return _posted(clawback)

        return self._once(key, ("clawback", entry, kind, amount), act, amount)

    def reinstate(self, *, entry: EntryName, key: str) -> Answer:
        def act() -> Posted:
            account, clawback = self._reversible(entry, CLAWBACKS)
            if any(account.reversals_of(clawback)):
                raise Refused("already_reinstated")
            back = self.book(account, "reinstatement", -clawback.amount, reverses=clawback)
            own_debts = [debt for debt in account.open_debts() if debt.entry is clawback]
            bought = next(lot for lot in account.lots if lot.entry is clawback.reverses)
            for debt in own_debts:
                self.open_lot(account, back, debt.remaining, parent=bought)
            for draw in reversed(clawback.draws):
                worth = draw.lot.worth_of_first(draw.amount)
                self.open_successor(account, back, draw.lot, draw.amount, worth)
            self.pay_debts(account, first=own_debts)
            return _posted(back)

        return self._once(key, ("reinstate", entry), act)

    def batch(self, items: list[tuple[str, dict[str, object]]]) -> list[Answer]:
        """Additions and spends, one after the other."""
        return [getattr(self, act)(**told) for act, told in items]

    def sweep(self) -> None:
        """What ``expire_credits`` does: settle every account."""
        for account in self.accounts.values():
            self.settle(account)

    def _once(
        self, key: str, content: object, act: Callable[[], Posted | Held], amount: Decimal | None = None
    ) -> Answer:
        """One effect for one key; refusals leave no record of it."""
        try:
            if amount is not None:
                check(amount)
            if key in self.keys:
                return self._replay(key, content)
            answer = act()
        except Refused as refused:
            return Refusal(refused.code, refused.tells)
        self.keys[key] = (content, answer)
        return answer

    def _replay(self, key: str, content: object) -> Posted | Held:
        first_content, first_answer = self.keys[key]
        if content != first_content:
            raise Refused("idempotency_conflict")
        return replace(first_answer, replayed=True)

    def _open_hold(self, number: int) -> tuple[Hold, Account]:
        if not 0 <= number < len(self.holds):
            raise Refused("unknown_hold")
        hold = self.holds[number]
        account = self.begin(hold.user_id)
        if hold.state != "open":
            raise Refused("hold_closed", hold.state)
        return hold, account

    def _reversible(self, name: EntryName, kinds: tuple[str, ...]) -> tuple[Account, Entry]:
        """The account and the entry of this name, which is of one of these kinds."""
        user_id, seq = name
        known = self.accounts.get(user_id)
        if known is None or not 1 <= seq <= len(known.entries):
            raise Refused("unknown_transaction")
        account, entry = self.begin(user_id), known.entries[seq - 1]
        if entry.kind not in kinds:
            raise Refused("not_reversible")
        return account, entry


def check(amount: Decimal) -> None:
    """Refuse what is no positive amount of credits with four places."""
    if not amount.is_finite() or not SMALLEST <= amount <= LARGEST or amount % SMALLEST:
        raise Refused("invalid_amount")


def _posted(entry: Entry) -> Posted:
    return Posted(entry.seq, entry.amount, entry.balance_before, entry.balance_after)


def _held(hold: Hold) -> Held:
    seq = hold.entry.seq if hold.entry else None
    return Held(hold.number, hold.amount, hold.state, hold.expires_at, hold.captured, seq)
