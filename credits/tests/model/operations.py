"""Random operations: mostly what a busy day brings, and often enough what nobody should ask for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from credits.tests.model.ledger import LARGEST, SMALLEST, Ledger
from credits.tests.model.records import Entry, EntryName, Hold

UNKNOWN_USER = 10**9
ADDITIONS = ("purchase", "purchase", "purchase", "purchase", "gift", "gift", "bonus", "referral", "redemption")
IMPOSSIBLE = [Decimal(text) for text in ("0", "NaN", "Infinity", "1000000000.0001", "0.00001", "1E+5000")]
# Odd numbers of minor units, so that every division leaves a rest.
PRICES = [None, None, 0, 1, 7, 999, 4999, 100_001]
CURRENCIES = ["USD", "EUR", "JPY"]
PRIORITIES = [100, 100, 100, 100, 10, 50, 200]
LAPSES_AFTER = [None, None, None, timedelta(minutes=5), timedelta(hours=7), timedelta(days=2), timedelta(days=40)]
HOLD_LASTS = [None, None, timedelta(seconds=90), timedelta(hours=1), timedelta(days=5), timedelta(days=5)]
# How long the clock runs, and how often: a hold should now and then outlive the lots under it.
WAITS = {
    timedelta(microseconds=1): 6,
    timedelta(seconds=30): 6,
    timedelta(minutes=4): 8,
    timedelta(hours=3): 4,
    timedelta(days=1): 0.7,
    timedelta(days=12): 0.15,
}
WEIGHTS = {
    "add": 21,
    "spend": 24,
    "place_hold": 14,
    "capture": 7,
    "release": 3,
    "refund": 11,
    "claw_back": 7,
    "reinstate": 5,
    "batch": 5,
    "again": 6,
    "sweep": 2,
    "set_allowance": 1.5,
    "reset_allowances": 2,
    "set_status": 3,
}


@dataclass(frozen=True)
class Operation:
    """An act by name, what it is told, and how long the clock runs before it."""

    act: str
    told: dict[str, Any] = field(default_factory=dict)
    wait: timedelta = timedelta(0)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.told.items())
        return f"{f'(after {self.wait}) ' if self.wait else ''}{self.act}({told})"


class Dice:
    """Draws operations that fit what the model's ledger holds by now, or narrowly do not."""

    def __init__(self, random: Random, ledger: Ledger, users: list[int]) -> None:
        self._random = random
        self._ledger = ledger
        self.users = users
        self._past: list[Operation] = []

    def operation(self) -> Operation:
        act = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        wait = self._wait()
        made = Operation(act, getattr(self, f"_{act}")(), wait)
        if act == "again":
            made = self._as_before(wait)
        if "key" in made.told:
            self._past.append(made)
        return made

    def _wait(self) -> timedelta:
        if self._chance(0.05):
            return self._until_something_is_due()
        return self._random.choices(list(WAITS), list(WAITS.values()))[0] if self._chance(0.35) else timedelta(0)

    def _until_something_is_due(self) -> timedelta:
        """To the very moment at which a lot lapses or a hold ends."""
        accounts = [self._ledger.account(user_id) for user_id in self.users]
        lots = [lot.expires_at for account in accounts for lot in account.in_draw_order() if lot.expires_at]
        holds = [hold.expires_at for account in accounts for hold in account.holds if hold.state == "open"]
        return min((due - self._ledger.now for due in lots + holds if due > self._ledger.now), default=timedelta(0))

    def touched(self, operation: Operation) -> set[int]:
        """The customers whose accounts an operation may change."""
        if operation.act in ("sweep", "reset_allowances"):
            return set(self.users)
        if operation.act == "batch":
            return {told["user_id"] for _, told in operation.told["items"]}
        return set(self._owners(operation.told))

    def _owners(self, told: dict[str, Any]) -> Iterator[int]:
        if "user_id" in told:
            yield told["user_id"]
        elif "entry" in told:
            yield told["entry"][0]
        elif 0 <= told["hold"] < len(self._ledger.holds):
            yield self._ledger.holds[told["hold"]].user_id

    # What each act is told

    def _add(self) -> dict[str, Any]:
        if self._chance(0.07):
            return {"user_id": self._user(), "kind": "adjustment", "amount": self._some(), "key": self._key()}
        kind = self._random.choice(ADDITIONS)
        told = {"user_id": self._user(), "kind": kind, "amount": self._some(may_be_negative=True), "key": self._key()}
        if self._chance(0.5):
            told["priority"] = self._random.choice(PRIORITIES)
        if lapses_after := self._random.choice(LAPSES_AFTER):
            told["expires_at"] = self._ledger.now + (timedelta(0) if self._chance(0.03) else lapses_after)
        if kind == "purchase" and (price := self._random.choice(PRICES)) is not None:
            told |= {"paid_minor": price, "currency": self._random.choice(CURRENCIES)}
        return told

    def _spend(self) -> dict[str, Any]:
        user_id = self._user()
        amount = self._up_to(self._ledger.account(user_id).spendable)
        kind = "adjustment" if self._chance(0.08) else "usage"
        return {"user_id": user_id, "kind": kind, "amount": amount, "key": self._key()}

    def _place_hold(self) -> dict[str, Any]:
        user_id = self._user()
        amount = self._up_to(self._ledger.account(user_id).spendable)
        told = {"user_id": user_id, "amount": amount, "key": self._key()}
        lasts = self._random.choice(HOLD_LASTS)
        return told | ({"lasts": lasts} if lasts else {})

    def _capture(self) -> dict[str, Any]:
        hold = self._hold()
        amount = self._up_to(hold.amount) if hold else self._some()
        return {"hold": self._number(hold), "amount": self._random.choice([None, amount]), "key": self._key()}

    def _release(self) -> dict[str, Any]:
        return {"hold": self._number(self._hold()), "key": self._key()}

    def _refund(self) -> dict[str, Any]:
        entry = self._entry("usage")
        amount = self._up_to(-entry.amount) if entry else self._some()
        return {"entry": self._name(entry), "amount": self._random.choice([None, amount]), "key": self._key()}

    def _claw_back(self) -> dict[str, Any]:
        entry = self._entry("purchase")
        amount = self._up_to(entry.amount) if entry else self._some()
        if entry and self._chance(0.4):
            amount = abs(entry.amount)
        kind = self._random.choice(["reversal", "chargeback"])
        return {"entry": self._name(entry), "kind": kind, "amount": amount, "key": self._key()}

    def _reinstate(self) -> dict[str, Any]:
        return {"entry": self._name(self._entry("reversal", "chargeback")), "key": self._key()}

    def _batch(self) -> dict[str, Any]:
        return {"items": [self._item() for _ in range(self._random.randint(1, 7))]}

    def _item(self) -> tuple[str, dict[str, Any]]:
        act = self._random.choice(["add", "spend", "spend"])
        told = getattr(self, f"_{act}")()
        # By hand only, one at a time.
        kind = {"add": "gift", "spend": "usage"}[act] if told["kind"] == "adjustment" else told["kind"]
        item = Operation(act, told | {"kind": kind, "key": self._used_key() if self._chance(0.1) else told["key"]})
        self._past.append(item)
        return item.act, item.told

    def _sweep(self) -> dict[str, Any]:
        return {}

    def _set_allowance(self) -> dict[str, Any]:
        user_id = self._random.choice(self.users)
        # Each customer has a day of the month, for one it is the last.
        anchor = datetime(2025, 12, 26 + self.users.index(user_id), 10, 30, tzinfo=UTC)
        amount = self._random.choice([Decimal(20), Decimal(60), self._some(), Decimal(0)])
        return {"user_id": user_id, "amount": amount, "anchor": anchor}

    def _reset_allowances(self) -> dict[str, Any]:
        return {}

    def _set_status(self) -> dict[str, Any]:
        barred = [user_id for user_id in self.users if self._ledger.people[user_id].status != "active"]
        if barred and self._chance(0.8):
            return {"user_id": self._random.choice(barred), "status": "active"}
        told = {"user_id": self._random.choice(self.users), "status": self._random.choice(["suspended", "banned"])}
        if told["status"] == "suspended" and self._chance(0.5):
            told["until"] = self._ledger.now + timedelta(hours=1)
        return told

    def _again(self) -> dict[str, Any]:
        return {}

    def _as_before(self, wait: timedelta) -> Operation:
        """An operation that was asked for before; or another one under its key."""
        if not self._past:
            return Operation("sweep")
        before = self._random.choice(self._past[-60:])
        if self._chance(0.6):
            return Operation(before.act, before.told, wait)
        other = self._random.choice(["add", "spend", "place_hold", "capture", "refund", before.act])
        told = getattr(self, f"_{other}")() | {"key": before.told["key"]}
        return Operation(other, told, wait)

    # Whom, which and how much

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _key(self) -> str:
        return f"{len(self._past)}-{self._random.getrandbits(40)}"

    def _used_key(self) -> str:
        return self._random.choice(self._past[-60:]).told["key"] if self._past else self._key()

    def _user(self) -> int:
        if self._chance(0.01):
            return UNKNOWN_USER
        user_id = self._random.choice(self.users)
        # Nothing ever happens to demo customers, so they are asked for less.
        return self._random.choice(self.users) if self._ledger.people[user_id].is_demo else user_id

    def _some(self, *, may_be_negative: bool = False) -> Decimal:
        """An amount to add: small, with a fraction, the smallest or the largest there is, or none at all."""
        if self._chance(0.02):
            return self._random.choice([*IMPOSSIBLE, Decimal(-1)] if may_be_negative else IMPOSSIBLE)
        return self._random.choice(
            [
                Decimal(self._random.randint(1, 50)),
                Decimal(self._random.randint(1, 50)),
                Decimal(self._random.randint(1, 500_000)).scaleb(-4),
                Decimal(self._random.randint(1, 9)).scaleb(-4),
                LARGEST if self._chance(0.05) else Decimal(100),
            ]
        )

    def _up_to(self, limit: Decimal) -> Decimal:
        """An amount at, below or just above ``limit``, or one that has nothing to do with it."""
        if limit <= 0 or self._chance(0.2):
            return self._some()
        part = (limit * self._random.randint(1, 70) / 100).quantize(SMALLEST)
        return self._random.choice([limit, part, part, part, limit + SMALLEST]) or SMALLEST

    def _entry(self, *kinds: str) -> Entry | None:
        accounts = [self._ledger.account(user_id).entries for user_id in self.users]
        if self._chance(0.04):
            return self._random.choice(self._random.choice(accounts) or [None])
        fitting = [[entry for entry in entries if entry.kind in kinds] for entries in accounts]
        return self._random.choice(self._random.choice([found for found in fitting if found] or [[None]])[-12:])

    def _name(self, entry: Entry | None) -> EntryName:
        return entry.name if entry else (self._random.choice(self.users), 10**6)

    def _hold(self) -> Hold | None:
        holds = [hold for hold in self._ledger.holds if hold.user_id in self.users]
        still_open = [hold for hold in holds if hold.state == "open"]
        if self._chance(0.03):
            return None
        return self._random.choice((holds[-12:] if self._chance(0.1) else still_open or holds) or [None])

    def _number(self, hold: Hold | None) -> int:
        return hold.number if hold else 10**6
