from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from credits import allocation
from credits.allocation import Account, Lot, LotTerms, Movement
from credits.amounts import MAX_AMOUNT, MAX_BALANCE
from credits.errors import InsufficientCredits, InvalidAmount
from credits.kinds import TransactionKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
D = Decimal


def lot(number, remaining=10, **terms):
    return Lot(id=number, opened_seq=number, amount=D(remaining), remaining=D(remaining), terms=LotTerms(**terms))


def account(*lots, **fields):
    return Account(user_id=1, balance=sum((lot.remaining for lot in lots), D(0)), seq=len(lots), lots=[*lots], **fields)


def usage(amount):
    return Movement(kind=TransactionKind.USAGE, amount=-D(amount))


def gift(amount, **terms):
    return Movement(kind=TransactionKind.GIFT, amount=D(amount), terms=LotTerms(**terms))


def drawn(entry):
    return [(draw.lot.id, draw.amount) for draw in entry.draws]


def test_draw_order_is_priority_then_expiry_then_free_before_paid_then_age():
    lots = [
        lot(1, paid_minor=500, currency="USD"),
        lot(2),
        lot(3, expires_at=NOW + timedelta(days=9)),
        lot(4, expires_at=NOW + timedelta(days=2), paid_minor=1, currency="USD"),
        lot(5, expires_at=NOW + timedelta(days=2)),
        lot(6),
        lot(7, priority=1),
    ]
    entry = allocation.post(account(*lots), usage(70), now=NOW)
    assert [number for number, _ in drawn(entry)] == [7, 5, 4, 3, 2, 6, 1]


def test_a_spend_takes_part_of_the_last_lot_it_needs():
    acc = account(lot(1, 10), lot(2, 10), lot(3, 10))
    entry = allocation.post(acc, usage("12.5"), now=NOW)
    assert drawn(entry) == [(1, D(10)), (2, D("2.5"))]
    assert acc.balance == acc.lots_total == D("17.5")


def test_spending_all_leaves_nothing_and_one_more_is_refused():
    acc = account(lot(1, 10))
    allocation.post(acc, usage(10), now=NOW)
    with pytest.raises(InsufficientCredits) as refused:
        allocation.post(acc, usage("0.0001"), now=NOW)
    assert (refused.value.needed, refused.value.available) == (D("0.0001"), D(0))


def test_a_refused_spend_changes_nothing():
    acc = account(lot(1, 10))
    with pytest.raises(InsufficientCredits):
        allocation.post(acc, usage(11), now=NOW)
    assert (acc.balance, acc.seq, acc.lots[0].remaining) == (D(10), 1, D(10))


def test_lapsed_lots_are_booked_as_expiry_earliest_first():
    acc = account(lot(1, 5, expires_at=NOW), lot(2, 7, expires_at=NOW - timedelta(days=1)), lot(3, 1))
    entries = allocation.book_lapsed(acc, now=NOW)
    assert [(entry.kind, entry.amount) for entry in entries] == [("expiry", D(-7)), ("expiry", D(-5))]
    assert acc.balance == acc.lots_total == D(1)


def test_booking_lapsed_lots_twice_books_them_once():
    acc = account(lot(1, 5, expires_at=NOW))
    assert len(allocation.book_lapsed(acc, now=NOW)) == 1
    assert allocation.book_lapsed(acc, now=NOW) == []


def test_a_lot_is_live_until_the_very_moment_of_its_expiry():
    acc = account(lot(1, 5, expires_at=NOW))
    assert allocation.book_lapsed(acc, now=NOW - timedelta(microseconds=1)) == []


def test_entries_are_numbered_on_and_start_from_the_balance_before():
    acc = account()
    first = allocation.post(acc, gift(10), now=NOW)
    second = allocation.post(acc, usage(4), now=NOW)
    assert [(e.seq, e.balance_before, e.balance_after) for e in (first, second)] == [(1, 0, 10), (2, 10, 6)]


def test_a_clock_set_back_does_not_put_an_entry_before_its_predecessor():
    acc = account(lot(1), last_posted_at=NOW)
    entry = allocation.post(acc, usage(1), now=NOW - timedelta(hours=1))
    assert entry.created_at == NOW


def test_the_balance_cannot_pass_what_the_ledger_carries():
    acc = account()
    acc.balance = MAX_BALANCE - MAX_AMOUNT + 1
    with pytest.raises(InvalidAmount):
        allocation.post(acc, gift(MAX_AMOUNT), now=NOW)


def test_lifetime_figures_follow_purchases_and_usage_only():
    acc = account()
    allocation.post(acc, Movement(kind=TransactionKind.PURCHASE, amount=D(10)), now=NOW)
    allocation.post(acc, gift(5), now=NOW)
    allocation.post(acc, usage(3), now=NOW)
    allocation.post(acc, Movement(kind=TransactionKind.ADJUSTMENT, amount=D(-2)), now=NOW)
    assert (acc.lifetime_purchased, acc.lifetime_consumed) == (D(10), D(3))
