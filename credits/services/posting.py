"""The one way into the ledger: lock the accounts in order, decide in the pure core, write in bulk.

A batch of any size takes a fixed number of statements, and ends as its items posted one by one would.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from accounts import services as accounts
from backoffice.lib import clock
from credits import allocation
from credits.errors import CreditError, IdempotencyConflict, InvalidExpiry
from credits.postings import Outcome, Posting, PostResult, Rejection, check
from credits.services import idempotency
from credits.services.ledger_rows import Booked, LockedAccounts

# How often a batch starts anew because another one recorded the same key on another account in between.
ATTEMPTS = 3


def post(posting: Posting) -> PostResult:
    """Post one movement. Raises the CreditError that a batch would report for it."""
    outcome = post_batch([posting])[0]
    if isinstance(outcome, Rejection):
        raise outcome.error
    return outcome


def post_batch(postings: Sequence[Posting]) -> list[Outcome]:
    """Post movements in order, each seeing its predecessors; one outcome each, in the same order.

    A rejected posting makes no entry of its own; the others commit together. What has lapsed on an account is booked
    even if the posting that met it is refused.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _post_under_lock(postings)
        except IntegrityError as error:
            if attempt == ATTEMPTS or not idempotency.is_key_collision(error):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _post_under_lock(postings: Sequence[Posting]) -> list[Outcome]:
    locked = LockedAccounts.of({posting.user_id for posting in postings})
    # The time is read after the lock: an entry is never dated before one that was booked while we waited.
    batch = _Batch(locked, idempotency.load([posting.idempotency_key for posting in postings]), clock.now())
    decided = [batch.decide(posting) for posting in postings]
    locked.write(batch.booked, now=batch.now)
    idempotency.save(batch.new_records(), now=batch.now)
    accounts.set_balances(locked.balances_of_changed())
    return [_result(item) if isinstance(item, Booked) else item for item in decided]


class _Batch:
    """The state of one batch as it is decided, item by item."""

    def __init__(self, locked: LockedAccounts, seen: idempotency.Seen, now: datetime) -> None:
        self.locked = locked
        self.now = now
        self.booked: list[Booked] = []
        self._seen = seen
        self._first_use: dict[str, tuple[str, Booked]] = {}

    def decide(self, posting: Posting) -> Outcome | Booked:
        """Replay, reject or book one posting; what is booked has its outcome once it is written."""
        try:
            check(posting)
            fingerprint = idempotency.fingerprint(posting)
            first = self._replay(posting.idempotency_key, fingerprint)
            return first if first is not None else self._book(posting, fingerprint)
        except CreditError as error:
            return Rejection(error)

    def _replay(self, key: str, fingerprint: str) -> "PostResult | Booked | None":
        if key in self._first_use:
            known, booked = self._first_use[key]
            outcome: PostResult | Booked = booked.as_replay()
        elif key in self._seen:
            known, outcome = self._seen[key].fingerprint, _replayed(self._seen[key].result)
        else:
            return None
        if known != fingerprint:
            raise IdempotencyConflict(key)
        return outcome

    def _book(self, posting: Posting, fingerprint: str) -> Booked:
        if posting.expires_at is not None and posting.expires_at <= self.now:
            raise InvalidExpiry("The expiry must lie in the future.")
        account = self.locked.account(posting.user_id)
        # Booked even if the posting itself is refused below: it follows from the time alone.
        self.booked += [Booked(account, entry) for entry in allocation.book_lapsed(account, now=self.now)]
        booked = Booked(account, allocation.post(account, posting.movement(), now=self.now), posting)
        self.booked.append(booked)
        self._first_use[posting.idempotency_key] = (fingerprint, booked)
        return booked

    def new_records(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Key, fingerprint and result of each first use, after the entries were written."""
        return [(key, known, _as_json(booked)) for key, (known, booked) in self._first_use.items()]


def _result(booked: Booked) -> PostResult:
    entry = booked.entry
    return PostResult(
        transaction_id=booked.transaction_id,
        seq=entry.seq,
        amount=entry.amount,
        balance_before=entry.balance_before,
        balance_after=entry.balance_after,
        replayed=booked.replayed,
    )


def _as_json(booked: Booked) -> dict[str, Any]:
    entry = booked.entry
    return {
        "id": booked.transaction_id,
        "seq": entry.seq,
        "amount": str(entry.amount),
        "balance_before": str(entry.balance_before),
        "balance_after": str(entry.balance_after),
    }


def _replayed(result: Mapping[str, Any]) -> PostResult:
    return PostResult(
        transaction_id=result["id"],
        seq=result["seq"],
        amount=Decimal(result["amount"]),
        balance_before=Decimal(result["balance_before"]),
        balance_after=Decimal(result["balance_after"]),
        replayed=True,
    )
