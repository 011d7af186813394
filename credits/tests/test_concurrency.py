"""Races on the ledger, on real threads and connections."""

import random
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts import services as accounts
from accounts.models import User
from credits import selectors, services
from credits.errors import IdempotencyConflict, InsufficientCredits
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditTransaction
from credits.postings import Posting, PostResult
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)


def posting(user_id, amount, key):
    kind = TransactionKind.GIFT if amount > 0 else TransactionKind.USAGE
    return Posting(user_id=user_id, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}")


def outcomes(results, of_type):
    return [result for result in results if isinstance(result, of_type)]


def test_of_fifty_parallel_debits_of_ten_on_a_hundred_exactly_ten_succeed():
    user = CustomerFactory()
    services.post(posting(user.pk, 100, "in"))
    results = at_once([lambda n=n: services.post(posting(user.pk, -10, n)) for n in range(50)])
    assert len(outcomes(results, PostResult)) == 10
    assert len(outcomes(results, InsufficientCredits)) == 40
    assert CreditAccount.objects.get(user=user).balance == 0
    assert list(selectors.verify()) == []


def test_batches_over_the_same_accounts_in_opposite_order_do_not_deadlock():
    users = CustomerFactory.create_batch(2)
    services.post_batch([posting(user.pk, 100_000, f"in{user.pk}") for user in users])

    def transfers(name, first, second):
        for n in range(100):
            services.post_batch([posting(first.pk, -1, f"{name}{n}-"), posting(second.pk, 1, f"{name}{n}+")])

    a, b = users
    results = at_once([lambda: transfers("ab", a, b), lambda: transfers("ba", b, a)])
    assert results == [None, None]
    assert sum(account.balance for account in CreditAccount.objects.all()) == 200_000
    assert list(selectors.verify()) == []


def test_credits_and_changes_of_the_person_do_not_deadlock():
    users = CustomerFactory.create_batch(8)
    done = threading.Event()
    ids = [user.pk for user in users]

    def posts(name):
        for turn in range(60):
            services.post_batch([posting(pk, 1, f"{name}-{turn}-{pk}") for pk in ids])

    def acts(name, order):
        for turn in range(60):
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

    def batch(user, turn, order):
        return [posting(user.pk, 1, f"{turn}-{n}") for n in range(1500)][::order]

    def run(user, order):
        for turn in range(3):
            services.post_batch(batch(user, turn, order))

    assert at_once([lambda: run(users[0], 1), lambda: run(users[1], -1)]) == [None, None]
    assert CreditTransaction.objects.count() == 4500


def test_twenty_posts_with_one_key_at_once_make_one_entry_and_identical_answers():
    user = CustomerFactory()
    results = at_once([lambda: services.post(posting(user.pk, 10, "same"))] * 20)
    assert len({result.transaction_id for result in results}) == 1
    assert len({result.balance_after for result in results}) == 1
    assert [result.replayed for result in results].count(False) == 1
    assert CreditTransaction.objects.count() == 1


def test_one_key_on_two_accounts_at_once_is_one_entry_and_one_conflict():
    users = CustomerFactory.create_batch(2)
    results = at_once([lambda u=user: services.post(posting(u.pk, 10, "same")) for user in users for _ in range(4)])
    assert len(outcomes(results, IdempotencyConflict)) == 4
    assert len({result.transaction_id for result in outcomes(results, PostResult)}) == 1
    assert CreditTransaction.objects.count() == 1


def test_first_posts_of_a_new_customer_at_once_make_one_account():
    user = CustomerFactory()
    results = at_once([lambda n=n: services.post(posting(user.pk, 1, n)) for n in range(10)])
    assert sorted(result.seq for result in results) == list(range(1, 11))
    assert CreditAccount.objects.get(user=user).balance == 10


def test_a_double_click_on_gift_gives_once():
    user, staff = CustomerFactory(), StaffFactory()
    gift = {"user_id": user.pk, "amount": Decimal(50), "reason": "sorry", "actor": staff, "idempotency_key": "admin:g"}
    results = at_once([lambda: services.gift_credits(**gift)] * 2)
    assert {result.balance_after for result in results} == {50}
    assert CreditTransaction.objects.count() == 1


def test_random_writers_leave_a_ledger_that_proves():
    users = CustomerFactory.create_batch(5)
    seed = random.randrange(2**32)

    def write(name):
        dice = random.Random(f"{seed}-{name}")
        for n in range(25):
            amount = dice.choice([-7, -3, 5, 9])
            services.post_batch([posting(dice.choice(users).pk, amount, f"{name}-{n}-{i}") for i in range(3)])

    results = at_once([lambda name=name: write(name) for name in range(6)])
    assert results == [None] * 6, f"seed {seed}"
    assert list(selectors.verify()) == [], f"seed {seed}"
