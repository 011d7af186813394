"""Two acts on one account at the same moment: one after the other, whichever comes first."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.models import Status, User
from backoffice.lib import clock
from credits import errors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditHold, CreditTransaction
from credits.postings import HoldResult, PostResult
from credits.tests.faults.acts import CHARGES, assert_proven, buy, give, plain_charge
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

# Races have two outcomes; a few turns meet both.
TURNS = range(6)


@pytest.fixture
def user_id():
    return CustomerFactory().pk


def hold(user_id, amount, key="hold", **more):
    return services.place_hold(user_id=user_id, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)


def refund(transaction_id, amount, key):
    return services.refund_usage(
        transaction_id=transaction_id, amount=Decimal(amount), reason="failed", idempotency_key=f"test:{key}"
    )


def claw_back(transaction_id, amount, key="chargeback"):
    return services.claw_back(
        transaction_id=transaction_id,
        amount=Decimal(amount),
        kind=TransactionKind.CHARGEBACK,
        idempotency_key=f"test:{key}",
    )


def account(user_id):
    return CreditAccount.objects.get(pk=user_id)


@pytest.mark.parametrize("charge", CHARGES)
def test_of_two_parallel_refunds_that_exceed_the_charge_together_the_second_is_refused(user_id, charge):
    give(user_id, 1000)
    for turn in TURNS:
        usage = charge(user_id, 10, f"use{turn}").transaction_id
        results = at_once([lambda n=n, u=usage, t=turn: refund(u, 6, f"{t}-{n}") for n in range(2)])
        assert sorted(type(result).__name__ for result in results) == ["PostResult", "RefundTooLarge"]
        refused = next(result for result in results if isinstance(result, errors.RefundTooLarge))
        assert refused.left == 4
    assert account(user_id).balance == 1000 - 4 * len(TURNS)
    assert_proven()


def test_parallel_small_refunds_give_back_the_charge_and_no_more(user_id):
    give(user_id, 20)
    usage = plain_charge(user_id, 10).transaction_id
    results = at_once([lambda n=n: refund(usage, 3, n) for n in range(8)])
    assert sum(isinstance(result, PostResult) for result in results) == 3
    assert account(user_id).balance == 19
    assert_proven()


def test_a_hold_is_captured_or_released_and_never_both(user_id):
    give(user_id, 100)
    for turn in TURNS:
        held = hold(user_id, 10, turn).hold_id
        results = at_once(
            [
                lambda h=held, t=turn: services.capture_hold(hold_id=h, amount=None, idempotency_key=f"test:{t}c"),
                lambda h=held, t=turn: services.release_hold(hold_id=h, idempotency_key=f"test:{t}r"),
            ]
        )
        assert sorted(type(result).__name__ for result in results) == ["HoldClosed", "HoldResult"]
    captured = CreditHold.objects.filter(state="captured").count()
    assert (account(user_id).balance, account(user_id).held) == (100 - 10 * captured, 0)
    assert_proven()


@pytest.mark.parametrize("charge", CHARGES)
def test_holds_and_charges_at_once_never_exceed_the_balance(user_id, charge):
    give(user_id, 100)
    holds = [lambda n=n: hold(user_id, 10, f"h{n}") for n in range(10)]
    charges = [lambda n=n: charge(user_id, 10, f"c{n}") for n in range(10)]
    results = at_once([*holds, *charges])
    assert sum(isinstance(result, (PostResult, HoldResult)) for result in results) == 10
    assert sum(isinstance(result, errors.InsufficientCredits) for result in results) == 10
    stands = account(user_id)
    assert stands.balance == stands.held
    assert_proven()


def test_at_the_moment_it_expires_a_hold_is_captured_no_more(user_id):
    give(user_id, 100)
    held = hold(user_id, 10, expires_in=timedelta(hours=1))
    with clock.at(held.expires_at), pytest.raises(errors.HoldClosed) as refused:
        services.capture_hold(hold_id=held.hold_id, amount=None, idempotency_key="test:c")
    assert refused.value.state == "expired"
    assert (account(user_id).held, account(user_id).balance) == (0, 100)
    assert_proven()


def test_just_before_it_expires_a_hold_is_captured(user_id):
    give(user_id, 100)
    held = hold(user_id, 10, expires_in=timedelta(hours=1))
    with clock.at(held.expires_at - timedelta(microseconds=1)):
        services.capture_hold(hold_id=held.hold_id, amount=None, idempotency_key="test:c")
    assert account(user_id).balance == 90


def test_a_capture_beside_the_sweep_at_the_end_of_a_hold_has_one_winner(user_id):
    give(user_id, 100)
    for turn in TURNS:
        held = hold(user_id, 10, turn, expires_in=timedelta(hours=1))

        def capture(h=held, t=turn):
            with clock.at(h.expires_at - timedelta(seconds=1)):
                return services.capture_hold(hold_id=h.hold_id, amount=None, idempotency_key=f"test:{t}c")

        def sweep(h=held):
            with clock.at(h.expires_at):
                return services.expire_credits()

        captured, _ = at_once([capture, sweep])
        state = CreditHold.objects.get(pk=held.hold_id).state
        assert state == ("expired" if isinstance(captured, errors.HoldClosed) else "captured")
    assert account(user_id).held == 0
    assert_proven()


@pytest.mark.parametrize("charge", CHARGES)
def test_lapsed_credits_are_booked_once_and_never_spent_beside_charges(user_id, charge):
    later = clock.now() + timedelta(days=1)
    give(user_id, 50, "lapses", expires_at=later)
    give(user_id, 50, "stays")

    def on_the_day(call):
        def run():
            with clock.at(later):
                return call()

        return run

    charges = [on_the_day(lambda n=n: charge(user_id, 10, n)) for n in range(8)]
    results = at_once([*charges, *[on_the_day(services.expire_credits)] * 3])
    assert sum(isinstance(result, PostResult) for result in results) == 5
    assert list(CreditTransaction.objects.filter(kind="expiry").values_list("amount", flat=True)) == [-50]
    assert account(user_id).balance == 0
    assert_proven()


@pytest.mark.parametrize("charge", CHARGES)
def test_a_clawback_beside_charges_takes_all_of_it_and_leaves_what_is_missing_as_debt(user_id, charge):
    bought = buy(user_id, 100).transaction_id
    charges = [lambda n=n: charge(user_id, 10, n) for n in range(10)]
    results = at_once([*charges, lambda: claw_back(bought, 100)])
    assert not [result for result in results if not isinstance(result, (PostResult, errors.InsufficientCredits))]
    spent = 10 * sum(isinstance(result, PostResult) for result in results[:-1])
    stands = account(user_id)
    assert (stands.balance, stands.debt, stands.lots_total) == (-spent, spent, 0)
    assert_proven()


def test_a_refund_beside_a_clawback_ends_alike_whichever_comes_first(user_id):
    bought = buy(user_id, 100).transaction_id
    usage = plain_charge(user_id, 60).transaction_id
    results = at_once([lambda: refund(usage, 60, "r"), lambda: claw_back(bought, 100)])
    assert [type(result) for result in results] == [PostResult, PostResult]
    stands = account(user_id)
    assert (stands.balance, stands.debt, stands.lots_total) == (0, 0, 0)
    assert_proven()


def test_two_parallel_clawbacks_never_exceed_the_purchase(user_id):
    bought = buy(user_id, 100).transaction_id
    results = at_once([lambda n=n: claw_back(bought, 70, n) for n in range(2)])
    assert sorted(type(result).__name__ for result in results) == ["ClawbackTooLarge", "PostResult"]
    assert account(user_id).balance == 30


def test_a_clawback_is_reinstated_once_even_when_two_try_at_once(user_id):
    taken = claw_back(buy(user_id, 100).transaction_id, 100).transaction_id
    results = at_once(
        [lambda n=n: services.reinstate(transaction_id=taken, idempotency_key=f"test:{n}") for n in range(3)]
    )
    assert sum(isinstance(result, PostResult) for result in results) == 1
    assert sum(isinstance(result, errors.AlreadyReinstated) for result in results) == 2
    assert account(user_id).balance == 100
    assert_proven()


def monthly(user_id, amount, start):
    return services.set_allowance(user_id=user_id, amount=Decimal(amount), period_start=start)


def test_resets_that_run_at_once_grant_once():
    start = clock.now() - timedelta(days=2)
    ids = [user.pk for user in CustomerFactory.create_batch(4)]
    for user_id in ids:
        monthly(user_id, 100, start)
    later = start + timedelta(days=40)

    def reset():
        with clock.at(later):
            return services.reset_allowances()

    assert sum(at_once([reset] * 4)) == 4
    assert CreditTransaction.objects.filter(kind="allowance").count() == 8
    assert {stands.balance for stands in CreditAccount.objects.all()} == {100}
    assert_proven()


def test_a_new_plan_beside_the_reset_ends_in_one_grant_of_its_amount():
    start = clock.now() - timedelta(days=2)
    later = start + timedelta(days=40)

    def on_the_day(call):
        with clock.at(later):
            return call()

    for user in CustomerFactory.create_batch(len(TURNS)):
        monthly(user.pk, 100, start)
        at_once(
            [
                lambda: on_the_day(services.reset_allowances),
                lambda u=user: on_the_day(lambda: monthly(u.pk, 150, start)),
            ]
        )
        # The old amount and the difference, or the new one at once.
        assert (account(user.pk).balance, account(user.pk).monthly_allowance) == (150, 150)
    assert_proven()


@pytest.mark.parametrize("charge", CHARGES)
def test_a_ban_that_is_committed_while_a_charge_waits_refuses_it(user_id, charge):
    give(user_id, 100)
    ready, waits = threading.Event(), threading.Event()

    def ban():
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user_id)
            User.objects.filter(pk=user_id).update(status=Status.BANNED)
            ready.set()
            waits.wait(0.5)

    def spend():
        ready.wait(5)
        return charge(user_id, 10)

    _, refused = at_once([ban, spend])
    assert isinstance(refused, errors.CustomerBanned)
    assert account(user_id).balance == 100
