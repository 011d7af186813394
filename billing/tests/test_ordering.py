"""Which of several events of one object is the last word on it."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from billing.ordering import Undecided, Word, last, rank_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def word(value, *, at=NOON, rank=2, previous=None):
    return Word(at=at, rank=rank, subject={"value": value}, previous={} if previous is None else {"value": previous})


def in_every_order(*words):
    """The last of these words, the same in whatever order they are looked at."""
    found = {last(order).subject["value"] for order in itertools.permutations(words)}
    assert len(found) == 1
    return found.pop()


def test_the_later_event_is_the_last_word():
    assert in_every_order(word("old"), word("new", at=NOON + timedelta(seconds=1), rank=0)) == "new"


def test_within_a_second_what_ends_comes_after_what_changes_and_what_creates():
    assert in_every_order(word("made", rank=0), word("changed"), word("ended", rank=9)) == "ended"


def test_of_equals_the_last_is_what_no_other_found_before_it():
    assert in_every_order(word("b", previous="a"), word("c", previous="b"), word("d", previous="c")) == "d"


def test_equal_words_are_one():
    assert in_every_order(word("same"), word("same", previous="other")) == "same"


@pytest.mark.parametrize(
    "words",
    [
        (word("a"), word("b")),
        (word("a", previous="x"), word("b", previous="y")),
        (word("a", previous="b"), word("b", previous="a")),
    ],
    ids=["neither says", "both found something else", "each found the other"],
)
def test_what_cannot_be_told_is_not_guessed(words):
    for order in itertools.permutations(words):
        with pytest.raises(Undecided):
            last(order)


def test_what_changed_within_an_object_or_a_list_is_compared_by_what_is_named():
    earlier = Word(at=NOON, rank=2, subject={"items": {"data": [{"id": "si_1", "quantity": 1}], "total": 1}, "x": 1})
    later = Word(
        at=NOON,
        rank=2,
        subject={"items": {"data": [{"id": "si_1", "quantity": 2}], "total": 1}, "x": 1},
        previous={"items": {"data": [{"quantity": 1}]}},
    )
    assert last([earlier, later]) is later
    assert last([later, earlier]) is later


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("customer.subscription.created", "customer.subscription.updated"),
        ("customer.subscription.updated", "customer.subscription.deleted"),
        ("customer.subscription.paused", "customer.subscription.resumed"),
        ("payment_intent.created", "payment_intent.processing"),
        ("payment_intent.payment_failed", "payment_intent.succeeded"),
        ("payment_intent.requires_action", "payment_intent.canceled"),
        ("charge.pending", "charge.succeeded"),
        ("charge.succeeded", "charge.refunded"),
        ("charge.dispute.created", "charge.dispute.funds_withdrawn"),
        ("charge.dispute.funds_withdrawn", "charge.dispute.closed"),
        ("refund.created", "refund.failed"),
        ("invoice.created", "invoice.finalized"),
        ("invoice.payment_failed", "invoice.paid"),
        ("invoice.finalized", "invoice.voided"),
    ],
)
def test_types_of_one_second_have_an_order(earlier, later):
    assert rank_of(earlier) < rank_of(later)
