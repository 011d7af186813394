"""Many writers at once: nobody spends what is not there, nobody deadlocks, and every reader sees whole credits."""

import os
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounts import services as accounts
from accounts.models import User
from backoffice.lib import clock
from backoffice.lib.snapshot import snapshot
from credits import selectors, services
from credits.errors import CreditError, InsufficientCredits
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditLot, CreditTransaction
from credits.postings import PostResult
from credits.tests.faults.acts import CHARGES, assert_proven, give, plain_charge, posting
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
# How long the readers look on; `make soak` gives them a minute.
SOAK_SECONDS = float(os.environ.get("LEDGER_SOAK_SECONDS", "3"))


@pytest.mark.parametrize("charge", CHARGES)
def test_of_fifty_parallel_debits_of_ten_on_a_hundred_exactly_ten_succeed(charge):
    user_id = CustomerFactory().pk
    give(user_id, 100)
    results = at_once([lambda n=n: charge(user_id, 10, n) for n in range(50)])
    assert sum(isinstance(result, PostResult) for result in results) == 10
    assert sum(isinstance(result, InsufficientCredits) for result in results) == 40
    assert CreditAccount.objects.get(pk=user_id).balance == 0
    assert_proven()


def transfer(source, target, amount, key):
    """A batch that locks two accounts and moves ``amount`` from one to the other, all in all nothing."""
    kind = TransactionKind.ADJUSTMENT
    outcomes = services.post_batch(
        [
            posting(source, Decimal(amount).copy_negate(), f"{key}-", kind=kind),
            posting(target, amount, f"{key}+", kind=kind),
        ]
    )
    assert all(isinstance(outcome, PostResult) for outcome in outcomes), outcomes


def well_stocked(number):
    """Customers whose first credits are spent last, so that what is moved about leaves few open lots."""
    ids = [user.pk for user in CustomerFactory.create_batch(number)]
    for user_id in ids:
        give(user_id, 100_000, f"in{user_id}", priority=200)
    return ids


def test_a_thousand_batches_over_two_accounts_in_opposite_orders_do_not_deadlock():
    first, second = well_stocked(2)

    def transfers(name, source, target):
        for n in range(500):
            transfer(source, target, 1, f"{name}{n}")

    calls = [lambda: transfers("there", first, second), lambda: transfers("back", second, first)]
    assert at_once(calls) == [None, None]
    assert [account.balance for account in CreditAccount.objects.all()] == [100_000, 100_000]
    assert CreditTransaction.objects.count() == 2002
    assert_proven()


class Traffic:
    """Writers that move credits about without making or losing any, until time is up."""

    def __init__(self, ids, seed, seconds):
        self.ids, self.seed = ids, seed
        self.total = Decimal(100_000 * len(ids))
        self.ends_at = time.monotonic() + seconds
        self.reads = 0

    def running(self):
        return time.monotonic() < self.ends_at

    def write(self, name):
        dice, turn = random.Random(f"{self.seed}-{name}"), 0
        while self.running():
            turn += 1
            source, target = dice.sample(self.ids, 2)
            if dice.random() < 0.7:
                transfer(source, target, dice.randint(1, 20), f"{name}-{turn}")
            else:
                self._hold(source, f"test:{name}-{turn}")

    def _hold(self, user_id, key):
        held = services.place_hold(user_id=user_id, amount=Decimal(5), idempotency_key=key)
        services.release_hold(hold_id=held.hold_id, idempotency_key=f"{key}-release")

    def read(self):
        while self.running() or not self.reads:
            self._check_rows()
            self._check_standings()
            self.reads += 1

    def _check_rows(self):
        assert CreditAccount.objects.aggregate(total=Sum("balance"))["total"] == self.total
        assert CreditLot.objects.aggregate(total=Sum("remaining"))["total"] == self.total
        assert CreditTransaction.objects.aggregate(total=Sum("amount"))["total"] == self.total
        assert not CreditAccount.objects.filter(balance__lt=0).exists()
        assert not CreditTransaction.objects.filter(balance_after__lt=0).exists()

    def _check_standings(self):
        with snapshot():
            stands = [selectors.standing(user_id=user_id, now=clock.now()) for user_id in self.ids]
        assert sum(account.balance for account in stands) == self.total
        assert all(account.balance == sum(lot.remaining for lot in account.lots) for account in stands)
        assert all(account.balance >= 0 for account in stands)


def test_beside_twenty_writers_every_read_shows_the_same_total_and_no_balance_below_zero():
    seed = random.randrange(2**32)
    traffic = Traffic(well_stocked(6), seed, SOAK_SECONDS)
    writers = [lambda name=name: traffic.write(name) for name in range(20)]
    results = at_once([*writers, traffic.read, traffic.read])
    assert results == [None] * 22, f"seed {seed}"
    assert traffic.reads > 0
    assert_proven()


def test_random_charges_gifts_and_batches_leave_a_ledger_that_proves():
    ids = [user.pk for user in CustomerFactory.create_batch(5)]
    seed = random.randrange(2**32)

    def write(name):
        dice = random.Random(f"{seed}-{name}")
        for n in range(20):
            amounts = [dice.choice([-7, -3, 5, 9]) for _ in range(3)]
            services.post_batch([posting(dice.choice(ids), a, f"{name}-{n}-{i}") for i, a in enumerate(amounts)])
            try:
                plain_charge(dice.choice(ids), dice.choice([1, 4]), f"{name}-{n}")
            except InsufficientCredits:
                continue

    results = at_once([lambda name=name: write(name) for name in range(6)])
    assert results == [None] * 6, f"seed {seed}"
    assert_proven()


def test_credits_and_changes_of_the_person_do_not_deadlock():
    users = CustomerFactory.create_batch(8)
    done = threading.Event()
    ids = [user.pk for user in users]

    def posts(name):
        for turn in range(40):
            services.post_batch([posting(pk, 1, f"{name}-{turn}-{pk}") for pk in ids])

    def acts(name, order):
        for turn in range(40):
            accounts.record_activities(
                activities=[
                    accounts.Activity(event_id=f"{turn}-{pk}", action="login", user_id=pk, at=LONG_AGO + turn * DAY)
                    for pk in ids[::order]
                ]
            )

    def edits():
        while not done.is_set():
            User.objects.filter(pk=random.choice(ids)).update(country=random.choice(["DE", "FR"]))

    def measured(work):
        try:
            work()
        finally:
            done.set()

    calls = [
        lambda: measured(lambda: posts("a")),
        lambda: posts("b"),
        lambda: acts("c", 1),
        lambda: acts("d", -1),
        edits,
    ]
    assert at_once(calls) == [None] * len(calls)


def test_batches_that_share_keys_in_opposite_order_do_not_deadlock():
    users = CustomerFactory.create_batch(2)

    def run(user, order):
        for turn in range(3):
            services.post_batch([posting(user.pk, 1, f"{turn}-{n}") for n in range(500)][::order])

    assert at_once([lambda: run(users[0], 1), lambda: run(users[1], -1)]) == [None, None]
    assert CreditTransaction.objects.count() == 1500


@pytest.mark.parametrize("charge", CHARGES)
def test_first_acts_of_a_new_customer_at_once_make_one_account(charge):
    user_id = CustomerFactory().pk
    stop = threading.Event()

    def spend():
        while not stop.is_set():
            try:
                return charge(user_id, 1)
            except CreditError:
                time.sleep(0.01)
        return None

    def give_all():
        try:
            return [give(user_id, 1, n) for n in range(10)]
        finally:
            stop.wait(0.2)
            stop.set()

    at_once([spend, give_all, lambda: give(user_id, 1, "more")])
    account = CreditAccount.objects.get(pk=user_id)
    assert (account.seq, account.balance) == (12, 10)
    assert_proven()
