"""The pure core: what is decided, without a database. Stories follow docs/ledger.md."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from credits import allocation
from credits.allocation import Account, LotTerms, Original
from credits.errors import (
    AlreadyReinstated,
    CaptureTooLarge,
    ClawbackTooLarge,
    HoldClosed,
    InsufficientCredits,
    InvalidAmount,
    RefundTooLarge,
)
from credits.kinds import HoldState, TransactionKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = NOW + 40 * DAY
GRACE = NOW + 30 * DAY


def new_account(**figures) -> Account:
    return Account(user_id=1, **figures)


def add(account, amount, kind=TransactionKind.GIFT, *, now=NOW, **terms):
    entry = allocation.add(account, kind, Decimal(amount), LotTerms(**terms), now=now)
    lot = entry.opens[0]
    # As if it were written and read again: lots that acts name have ids.
    lot.id = 100 + entry.seq
    return lot


def buy(account, amount, paid_minor, **terms):
    return add(account, amount, TransactionKind.PURCHASE, paid_minor=paid_minor, currency="USD", **terms)


def spend(account, amount, *, now=NOW):
    return allocation.spend(account, TransactionKind.USAGE, Decimal(amount), now=now)


def hold(account, amount, *, expires_at=NOW + DAY):
    return allocation.place_hold(account, Decimal(amount), expires_at=expires_at, reference="")


def claw_back(account, purchase, amount, *, undone=0, now=NOW):
    original = Original(
        kind=TransactionKind.PURCHASE, adds=True, amount=purchase.amount, undone=Decimal(undone), lot_id=purchase.id
    )
    return allocation.claw_back(account, original, TransactionKind.CHARGEBACK, Decimal(amount), now=now)


def give_back(account, usage, amount=None, *, undone=0, now=NOW, kind=TransactionKind.REFUND):
    original = Original(kind=usage.kind, adds=False, amount=-usage.amount, undone=Decimal(undone), draws=usage.draws)
    wanted = None if amount is None else Decimal(amount)
    return allocation.give_back(account, original, kind, wanted, now=now, grace_until=now + 30 * DAY)


def reinstate(account, clawback, purchase, *, now=NOW, undone=0):
    debt = next((debt for debt in account.debts if debt.entry is clawback), None)
    paid = [payment for payment in account.journal.payments if payment.debt is debt and debt]
    assert not paid, "these are added by the act itself"
    original = Original(
        kind=clawback.kind,
        adds=False,
        amount=-clawback.amount,
        undone=Decimal(undone),
        draws=clawback.draws,
        lot_id=purchase.id,
        debt=debt,
    )
    return allocation.reinstate(account, original, now=now, grace_until=now + 30 * DAY)


def parts(draws):
    return [(draw.lot.opened_seq, draw.amount) for draw in draws]


def remaining(account):
    return [(lot.opened_seq, lot.remaining) for lot in account.lots if lot.remaining]


def check_sums(account):
    lots = sum((lot.remaining for lot in account.lots), Decimal(0))
    assert account.balance == lots - account.debt
    assert account.lots_total == lots
    assert 0 <= account.held <= lots
    assert account.debt == 0 or lots <= account.held


class TestDrawOrder:
    def test_the_lower_priority_number_is_spent_first(self):
        account = new_account()
        add(account, 10, priority=200)
        add(account, 10, priority=50)
        assert parts(spend(account, 12).draws) == [(2, 10), (1, 2)]

    def test_then_what_lapses_first_and_what_never_lapses_last(self):
        account = new_account()
        add(account, 10)
        add(account, 10, expires_at=NOW + 2 * DAY)
        add(account, 10, expires_at=NOW + DAY)
        assert parts(spend(account, 25).draws) == [(3, 10), (2, 10), (1, 5)]

    def test_then_free_before_paid(self):
        account = new_account()
        buy(account, 10, 1000)
        add(account, 10)
        assert parts(spend(account, 11).draws) == [(2, 10), (1, 1)]

    def test_then_the_oldest(self):
        account = new_account()
        add(account, 10)
        add(account, 10)
        assert parts(spend(account, 11).draws) == [(1, 10), (2, 1)]


class TestSpending:
    def test_a_spend_of_all_leaves_zero(self):
        account = new_account()
        add(account, 10)
        entry = spend(account, 10)
        assert (entry.balance_before, entry.balance_after, account.balance) == (10, 0, 0)

    def test_more_than_is_available_is_refused_and_changes_nothing(self):
        account = new_account()
        add(account, 10)
        with pytest.raises(InsufficientCredits) as refused:
            spend(account, "10.0001")
        assert (refused.value.needed, refused.value.available) == (Decimal("10.0001"), 10)
        assert account.balance == 10
        assert len(account.journal.entries) == 1

    def test_what_is_held_is_not_available(self):
        account = new_account()
        add(account, 10)
        hold(account, 4)
        with pytest.raises(InsufficientCredits) as refused:
            spend(account, 7)
        assert refused.value.available == 6

    def test_it_leaves_the_first_credits_to_the_holds(self):
        account = new_account()
        add(account, 10, expires_at=NOW + DAY)
        add(account, 10)
        hold(account, 7)
        assert parts(spend(account, 5).draws) == [(1, 3), (2, 2)]

    def test_no_sum_may_pass_what_the_ledger_can_carry(self):
        account = new_account(balance=Decimal(10_000_000_000_000))
        with pytest.raises(InvalidAmount):
            add(account, "0.0001")

    def test_a_clock_set_back_does_not_put_an_entry_before_its_predecessor(self):
        account = new_account()
        add(account, 10)
        assert spend(account, 1, now=NOW - timedelta(hours=1)).created_at == NOW


class TestHolds:
    def test_a_hold_reserves_without_an_entry(self):
        account = new_account()
        add(account, 10)
        hold(account, 4)
        assert (account.held, account.balance, account.seq, account.available) == (4, 10, 1, 6)

    def test_holds_together_never_exceed_the_balance(self):
        account = new_account()
        add(account, 10)
        hold(account, 6)
        with pytest.raises(InsufficientCredits):
            hold(account, 5)

    def test_a_capture_spends_and_lets_the_rest_go(self):
        account = new_account()
        add(account, 10)
        taken = hold(account, 6)
        allocation.capture(account, taken, Decimal(4), now=NOW)
        assert (taken.state, taken.captured, account.held, account.balance) == (HoldState.CAPTURED, 4, 0, 6)
        assert taken.entry.kind == TransactionKind.USAGE

    def test_a_capture_draws_held_credits_that_lapsed_meanwhile(self):
        account = new_account()
        add(account, 10, expires_at=NOW + DAY)
        add(account, 10)
        taken = hold(account, 6, expires_at=LATER)
        after = NOW + 2 * DAY
        allocation.settle(account, now=after)
        assert remaining(account) == [(1, 6), (2, 10)]
        allocation.capture(account, taken, None, now=after)
        assert remaining(account) == [(2, 10)]
        check_sums(account)

    def test_more_than_the_hold_is_refused(self):
        account = new_account()
        add(account, 10)
        taken = hold(account, 6)
        with pytest.raises(CaptureTooLarge):
            allocation.capture(account, taken, Decimal(7), now=NOW)
        assert account.held == 6

    def test_a_closed_hold_is_neither_captured_nor_released_again(self):
        account = new_account()
        add(account, 10)
        taken = hold(account, 6)
        allocation.release(account, taken, now=NOW)
        with pytest.raises(HoldClosed):
            allocation.capture(account, taken, None, now=NOW)
        with pytest.raises(HoldClosed):
            allocation.release(account, taken, now=NOW)
        assert (account.held, account.available) == (0, 10)

    def test_a_due_hold_expires_when_time_is_settled(self):
        account = new_account()
        add(account, 10)
        taken = hold(account, 6)
        allocation.settle(account, now=NOW + DAY)
        assert (taken.state, taken.closed_at, account.held) == (HoldState.EXPIRED, NOW + DAY, 0)

    def test_a_hold_of_nothing_captures_nothing(self):
        account = new_account()
        taken = hold(account, 0)
        allocation.capture(account, taken, Decimal(5), now=NOW)
        assert (taken.state, taken.captured, taken.entry) == (HoldState.CAPTURED, 0, None)


class TestExpiry:
    def test_each_lapsed_lot_is_booked_as_an_entry(self):
        account = new_account()
        add(account, 10, expires_at=NOW + 2 * DAY)
        add(account, 5, expires_at=NOW + DAY)
        add(account, 1)
        allocation.settle(account, now=NOW + 3 * DAY)
        expired = account.journal.entries[3:]
        assert [(entry.kind, entry.amount) for entry in expired] == [("expiry", -5), ("expiry", -10)]
        assert account.balance == 1

    def test_a_lot_lapses_at_its_very_moment(self):
        account = new_account()
        add(account, 5, expires_at=NOW + DAY)
        allocation.settle(account, now=NOW + DAY)
        assert account.balance == 0

    def test_only_what_no_hold_occupies_lapses(self):
        account = new_account()
        add(account, 10, expires_at=NOW + DAY)
        hold(account, 4, expires_at=LATER)
        allocation.settle(account, now=NOW + 2 * DAY)
        assert (account.balance, account.held) == (4, 4)

    def test_settling_twice_books_once(self):
        account = new_account()
        add(account, 10, expires_at=NOW + DAY)
        allocation.settle(account, now=LATER)
        allocation.settle(account, now=LATER)
        assert len(account.journal.entries) == 2


class TestRefunds:
    def test_it_goes_back_to_the_lots_in_reverse(self):
        account = new_account()
        add(account, 10, expires_at=LATER)
        add(account, 10)
        usage = spend(account, 15)
        entry = give_back(account, usage, 7)
        assert parts(entry.draws) == [(2, -5), (1, -2)]
        assert remaining(account) == [(1, 2), (2, 10)]

    def test_the_next_part_goes_on_where_the_last_one_stopped(self):
        account = new_account()
        add(account, 10, expires_at=LATER)
        add(account, 10)
        usage = spend(account, 15)
        give_back(account, usage, 7)
        assert parts(give_back(account, usage, 8, undone=7).draws) == [(1, -8)]
        check_sums(account)

    def test_together_they_never_exceed_the_usage(self):
        account = new_account()
        add(account, 10)
        usage = spend(account, 10)
        with pytest.raises(RefundTooLarge) as refused:
            give_back(account, usage, 4, undone=7)
        assert refused.value.left == 3
        with pytest.raises(RefundTooLarge):
            give_back(account, usage, undone=10)

    def test_what_has_lapsed_comes_back_as_a_lot_with_its_value(self):
        account = new_account()
        bought = buy(account, 10, 1000, expires_at=NOW + DAY)
        usage = spend(account, 4)
        later = NOW + 2 * DAY
        entry = give_back(account, usage, 3, now=later)
        (lot,) = entry.opens
        assert (lot.amount, lot.terms.paid_minor, lot.terms.currency) == (3, 300, "USD")
        assert (lot.parent_id, lot.terms.expires_at) == (bought.id, later + 30 * DAY)
        check_sums(account)

    def test_parts_of_one_draw_add_up_to_its_whole_value(self):
        account = new_account()
        buy(account, 3, 100, expires_at=NOW + DAY)
        usage = spend(account, 3)
        values = []
        for undone in range(3):
            entry = give_back(account, usage, 1, undone=undone, now=NOW + 2 * DAY)
            values.append(entry.opens[0].terms.paid_minor)
        assert values == [33, 33, 34]

    def test_credits_that_come_back_can_be_spent_again(self):
        account = new_account()
        lot = add(account, 10)
        usage = spend(account, 10)
        account.lots.remove(lot)  # a spent lot is not loaded
        give_back(account, usage)
        assert parts(spend(account, 10).draws) == [(1, 10)]


class TestClawbacks:
    def test_it_takes_from_the_lot_of_its_purchase_first(self):
        account = new_account()
        add(account, 50)
        bought = buy(account, 100, 1000)
        assert parts(claw_back(account, bought, 100).draws) == [(2, 100)]

    def test_then_from_others_and_the_rest_is_debt(self):
        account = new_account()
        bought = buy(account, 100, 1000)
        spend(account, 80)
        add(account, 30)
        entry = claw_back(account, bought, 100)
        assert parts(entry.draws) == [(1, 20), (3, 30)]
        assert (account.debt, account.balance) == (50, -50)
        check_sums(account)

    def test_it_leaves_what_is_held(self):
        account = new_account()
        bought = buy(account, 100, 1000)
        hold(account, 30)
        claw_back(account, bought, 100)
        assert (account.debt, account.lots_total, account.held, account.balance) == (30, 30, 30, 0)
        check_sums(account)

    def test_together_they_never_exceed_the_purchase(self):
        account = new_account()
        bought = buy(account, 100, 1000)
        with pytest.raises(ClawbackTooLarge):
            claw_back(account, bought, 31, undone=70)

    def test_later_credits_pay_the_oldest_debt_first(self):
        account = new_account()
        first, second = buy(account, 10, 100), buy(account, 10, 100)
        spend(account, 20)
        old, new = claw_back(account, first, 10), claw_back(account, second, 10)
        add(account, 12)
        assert [(payment.debt.entry, payment.amount) for payment in account.journal.payments] == [(old, 10), (new, 2)]
        assert (account.debt, account.balance, account.lots_total) == (8, -8, 0)

    def test_a_release_pays_debt(self):
        account = new_account()
        bought = buy(account, 10, 100)
        taken = hold(account, 10)
        claw_back(account, bought, 10)
        allocation.release(account, taken, now=NOW)
        assert (account.debt, account.balance, account.lots_total) == (0, 0, 0)

    def test_the_rest_of_a_capture_pays_debt(self):
        account = new_account()
        bought = buy(account, 10, 100)
        taken = hold(account, 10)
        claw_back(account, bought, 10)
        allocation.capture(account, taken, Decimal(4), now=NOW)
        assert (account.debt, account.balance, account.lots_total) == (4, -4, 0)

    def test_an_expired_hold_pays_debt_before_anything_lapses(self):
        account = new_account()
        bought = buy(account, 10, 100, expires_at=NOW + timedelta(hours=1))
        hold(account, 10)
        claw_back(account, bought, 10)
        allocation.settle(account, now=LATER)
        assert (account.debt, account.balance) == (0, 0)
        assert account.journal.entries[-1].kind == TransactionKind.CHARGEBACK

    def test_a_refund_pays_debt(self):
        account = new_account()
        bought = buy(account, 10, 100)
        usage = spend(account, 10)
        claw_back(account, bought, 10)
        give_back(account, usage)
        assert (account.debt, account.balance, account.lots_total) == (0, 0, 0)


class TestReinstatement:
    def test_it_gives_back_with_the_value_that_was_taken(self):
        account = new_account()
        bought = buy(account, 100, 1000, expires_at=LATER)
        taken = claw_back(account, bought, 100)
        (lot,) = reinstate(account, taken, bought).opens
        assert (lot.amount, lot.terms.paid_minor, lot.terms.expires_at, lot.parent_id) == (100, 1000, LATER, bought.id)

    def test_it_pays_the_debt_that_was_made_and_leaves_the_value_on_the_rest(self):
        account = new_account()
        bought = buy(account, 100, 1000)
        spend(account, 60)
        taken = claw_back(account, bought, 100)
        reinstate(account, taken, bought)
        assert (account.debt, account.balance) == (0, 40)
        (left,) = [lot for lot in account.lots if lot.remaining]
        assert (left.amount, left.terms.paid_minor) == (40, 400)
        check_sums(account)

    def test_what_has_lapsed_comes_back_for_a_while(self):
        account = new_account()
        bought = buy(account, 10, 1000, expires_at=NOW + DAY)
        taken = claw_back(account, bought, 10)
        (lot,) = reinstate(account, taken, bought, now=LATER).opens
        assert lot.terms.expires_at == LATER + 30 * DAY

    def test_it_happens_once(self):
        account = new_account()
        bought = buy(account, 10, 1000)
        taken = claw_back(account, bought, 10)
        with pytest.raises(AlreadyReinstated):
            reinstate(account, taken, bought, undone=10)


class TestTakingBack:
    def test_it_takes_what_is_left_of_those_credits_and_never_others(self):
        account = new_account()
        gift = add(account, 10)
        buy(account, 50, 500)
        spend(account, 4)
        original = Original(kind=TransactionKind.GIFT, adds=True, amount=Decimal(10), lot_id=gift.id)
        entry = allocation.take_back(account, original, None, now=NOW)
        assert (entry.amount, parts(entry.draws), account.balance) == (-6, [(1, 6)], 50)

    def test_nothing_left_is_refused(self):
        account = new_account()
        gift = add(account, 10)
        spend(account, 10)
        add(account, 10)
        original = Original(kind=TransactionKind.GIFT, adds=True, amount=Decimal(10), lot_id=gift.id)
        with pytest.raises(InsufficientCredits):
            allocation.take_back(account, original, None, now=NOW)


class TestFigures:
    def test_purchases_and_net_usage_are_counted(self):
        account = new_account()
        buy(account, 100, 1000)
        usage = spend(account, 30)
        give_back(account, usage, 10)
        figures = (account.lifetime_purchased, account.lifetime_consumed, account.period_consumed)
        assert figures == (100, 20, 20)

    def test_without_an_allowance_each_calendar_month_counts_anew(self):
        account = new_account()
        add(account, 100)
        spend(account, 30)
        spend(account, 5, now=datetime(2026, 4, 1, tzinfo=UTC))
        assert (account.period_consumed, account.period_seq, account.lifetime_consumed) == (5, 2, 35)
        assert account.period_started_at == datetime(2026, 4, 1, tzinfo=UTC)

    def test_with_one_a_period_begins_when_it_is_told(self):
        account = new_account(has_allowance=True)
        add(account, 100)
        spend(account, 30)
        allocation.start_period(account, NOW)
        spend(account, 5, now=LATER)
        assert (account.period_consumed, account.period_seq) == (5, 2)
