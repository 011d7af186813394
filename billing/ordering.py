"""Which of several events of one object is Stripe's last word on it. No I/O here.

Stripe delivers in any order, several times, and tells time in whole seconds. So events of one object are ordered by
their time, then by their type: within a second what creates comes first and what ends comes last. Of those that are
equal in both, one says what stood there before it (``previous_attributes``), which is what the other left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from billing.models import StripeEvent
from billing.payloads import value_at

# By the last word of the type. What is not listed neither begins nor ends anything.
RANKS: Mapping[str, int] = {
    "created": 0,
    "pending": 0,
    "processing": 1,
    "requires_action": 1,
    "trial_will_end": 1,
    "funds_withdrawn": 3,
    "payment_failed": 3,
    "paused": 3,
    "resumed": 4,
    "marked_uncollectible": 4,
    "funds_reinstated": 4,
    "payment_succeeded": 5,
    "succeeded": 5,
    "refunded": 6,
    "failed": 6,
    "paid": 6,
    "canceled": 7,
    "closed": 7,
    "voided": 7,
    "deleted": 9,
}
BETWEEN = 2


class Undecided(Exception):
    """Two events of one second and one type say different things, and neither tells which came first."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """What one event says of its object, and when: by Stripe's clock, then by the order of types."""

    at: datetime
    rank: int
    subject: Mapping[str, Any]
    previous: Mapping[str, Any] = field(default_factory=dict)
    # Between two of which neither says that it came later, the id of the event decides, which is the same in any order.
    key: str = ""

    @property
    def moment(self) -> tuple[datetime, int]:
        return self.at, self.rank


def rank_of(event_type: str) -> int:
    """The order of this type among events of one object and one second."""
    return RANKS.get(event_type.rpartition(".")[2], BETWEEN)


def word_of(event: StripeEvent) -> Word:
    """What a stored event with content says."""
    subject = value_at(event.payload, "data", "object")
    previous = value_at(event.payload, "data", "previous_attributes")
    return Word(
        at=event.stripe_created or event.received_at,
        rank=rank_of(event.type),
        subject=subject if isinstance(subject, dict) else {},
        previous=previous if isinstance(previous, dict) else {},
        key=event.stripe_id,
    )


def last(words: Sequence[Word]) -> Word:
    """The last of at least one word on one object. Raises Undecided."""
    latest = max(word.moment for word in words)
    candidates: list[Word] = []
    for word in words:
        if word.moment == latest and all(word.subject != other.subject for other in candidates):
            candidates.append(word)
    if len(candidates) == 1:
        return candidates[0]
    # Whoever comes last is what no other found before it.
    ends = [word for word in candidates if not any(_found_before(other, word) for other in candidates)]
    if len(ends) != 1:
        raise Undecided
    return ends[0]


def in_order(words: Iterable[Word]) -> list[Word]:
    """All words on one object, the first one first. Where ``last`` is undecided, their keys decide."""
    ordered: list[Word] = []
    for _, group in groupby(sorted(words, key=lambda word: (word.moment, word.key)), key=lambda word: word.moment):
        ordered += _in_turn(list(group))
    return ordered


def _in_turn(tied: list[Word]) -> list[Word]:
    """Words of one moment: each finds before it what the one before it left."""
    turns: list[Word] = []
    while tied:
        follows = [word for word in tied if turns and _found_before(word, turns[-1])]
        begins = [word for word in tied if not any(_found_before(word, other) for other in tied)]
        turns.append((follows or begins or tied)[0])
        tied = [word for word in tied if word is not turns[-1]]
    return turns


def _found_before(later: Word, earlier: Word) -> bool:
    """Whether ``later`` says that it changed what ``earlier`` had left."""
    if later is earlier or not later.previous:
        return False
    return _holds(earlier.subject, later.previous)


def _holds(subject: Any, part: Any) -> bool:
    """Whether every value that ``part`` names stands in ``subject``; Stripe leaves out what did not change."""
    if isinstance(part, dict) and isinstance(subject, dict):
        return all(_holds(subject.get(key), value) for key, value in part.items())
    if isinstance(part, list) and isinstance(subject, list):
        return len(part) == len(subject) and all(_holds(have, want) for have, want in zip(subject, part, strict=True))
    return bool(subject == part)
