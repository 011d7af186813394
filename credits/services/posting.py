"""The one way into the ledger: lock the accounts in order, decide in the pure core, write in bulk.

A batch of any size takes a fixed number of statements, and ends as its items done one by one would.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from accounts import services as accounts
from backoffice.lib import clock
from credits import allocation
from credits.errors import CreditError, IdempotencyConflict
from credits.postings import Act, HoldResult, Note, Outcome, Posting, PostResult, Rejection
from credits.services import idempotency, plain_charges, results
from credits.services.ground import Opened, lock
from credits.services.writing import Page

# How often a batch starts anew because another one used the same keys on other accounts in between. On a busy machine
# the one that was sent back may be there again before the other has woken up.
ATTEMPTS = 8


def post(act: Act) -> PostResult:
    """Do one act that makes an entry. Raises the CreditError that a batch would report for it."""
    return result_of(try_post(act))


def try_post(act: Act) -> Outcome:
    """Do one act and tell how it ended. Raises no CreditError: what it met and settled stays booked."""
    return post_batch([act])[0]


def result_of(outcome: Outcome) -> PostResult:
    """The entry that an act made. Raises the CreditError of a refusal."""
    if isinstance(outcome, Rejection):
        raise outcome.error
    if not isinstance(outcome, PostResult):
        raise TypeError("an act on a hold answers with the hold")
    return outcome


def hold(act: Act) -> HoldResult:
    """Do one act on a hold. Raises the CreditError that a batch would report for it."""
    outcome = try_post(act)
    if isinstance(outcome, Rejection):
        raise outcome.error
    if not isinstance(outcome, HoldResult):
        raise TypeError("an act that makes an entry answers with it")
    return outcome


def post_batch(acts: Sequence[Act]) -> list[Outcome]:
    """Do acts in order, each seeing its predecessors; one outcome each, in the same order.

    A rejected act writes nothing; the others commit together. What time has done to an account is booked even if the
    act that met it is refused.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _do(acts)
        except DatabaseError as error:
            if attempt == ATTEMPTS or not idempotency.is_collision(error):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _do(acts: Sequence[Act]) -> list[Outcome]:
    charges = plain_charges.candidates(acts)
    if len(acts) == 1:
        done = _do_plainly(charges[0]) if charges else None
        return [done] if done else _do_generally(acts)
    with transaction.atomic():
        return _do_together(acts, charges)


def _do_plainly(charge: Posting) -> PostResult | None:
    # Outside of a transaction the statement is one by itself; inside, its failure must not end the caller's.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        return plain_charges.do_one(charge)


def _do_together(acts: Sequence[Act], charges: dict[int, Posting]) -> list[Outcome]:
    # All accounts before any: what is left for the general path must not wait while some of them are locked.
    locked = lock(acts)
    # Who becomes a customer only now has an account that is not locked yet.
    plain = {place: charge for place, charge in charges.items() if charge.user_id in locked}
    outcomes: dict[int, Outcome] = {**plain_charges.do_all(plain)}
    rest = [place for place in range(len(acts)) if place not in outcomes]
    if rest:
        outcomes |= zip(rest, _do_generally([acts[place] for place in rest]), strict=True)
    return [outcomes[place] for place in range(len(acts))]


@transaction.atomic
def _do_generally(acts: Sequence[Act]) -> list[Outcome]:
    opened = Opened.of(acts)
    # The time is read after the lock: an entry is never dated before one that was booked while we waited.
    batch = _Batch(opened, clock.now())
    decided = [batch.decide(act) for act in acts]
    write(opened, batch.notes, now=batch.now)
    # Results name ids, which rows have only once they are written.
    answers = [answer() if callable(answer) else answer for answer in decided]
    idempotency.save(batch.new_records(), now=batch.now)
    return answers


def write(opened: Opened, notes: dict[int, Note], *, now: datetime) -> None:
    """Write what was decided on opened accounts, and the balances beside their customers."""
    changed = opened.changed()
    Page(accounts=changed, notes=notes, now=now, spare_entry_ids=opened.entry_ids).write()
    moved = {account.user_id: account.balance for account in changed if account.journal.entries}
    if moved:
        accounts.set_balances(moved)


Answer = Callable[[], PostResult | HoldResult]


class _Batch:
    """The state of one batch as it is decided, act by act."""

    def __init__(self, opened: Opened, now: datetime) -> None:
        self.opened = opened
        self.now = now
        self.notes: dict[int, Note] = {}
        self._first_use: dict[str, tuple[str, Answer]] = {}

    def decide(self, act: Act) -> Outcome | Answer:
        """Replay, reject or decide one act; what was decided has its answer once it is written."""
        try:
            act.check()
            fingerprint = idempotency.fingerprint(act)
            return self._replay(act.idempotency_key, fingerprint) or self._decide(act, fingerprint)
        except CreditError as error:
            return Rejection(error)

    def _replay(self, key: str, fingerprint: str) -> Outcome | Answer | None:
        if key in self._first_use:
            known, first = self._first_use[key]
            _check_same(key, known, fingerprint)
            return lambda: results.as_replay(first())
        if key in self.opened.keys:
            known, result = self.opened.keys[key]
            _check_same(key, known, fingerprint)
            return results.from_record(result)
        return None

    def _decide(self, act: Act, fingerprint: str) -> Answer:
        ground = self.opened.ground(act, self.now)
        made = act.decide(ground)
        entry = made.entry if isinstance(made, allocation.Hold) else made
        if entry is not None:
            self.notes[id(entry)] = act.note()
        answer = results.answer_for(made, ground.account)
        self._first_use[act.idempotency_key] = (fingerprint, answer)
        return answer

    def new_records(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Key, fingerprint and result of each first use, after the rows were written."""
        return [(key, known, results.as_record(first())) for key, (known, first) in self._first_use.items()]


def _check_same(key: str, known: str, fingerprint: str) -> None:
    if known != fingerprint:
        raise IdempotencyConflict(key)
