"""A charge in one statement and the same charge on the general path: equal rows, equal answers, or no row at all."""

import itertools
import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from accounts.models import Customer, Status, User
from backoffice.lib import clock
from credits import errors, selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditDraw, CreditLot, CreditTransaction, IdempotencyRecord
from credits.services import plain_charges
from credits.tests.faults.acts import all_rows, batch_charge, buy, general_charge, give, plain_charge, posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

# One choice of terms for each lot: priority, days until it lapses, and whether it was paid.
TERMS = [(100, None, False), (100, None, True), (50, None, True), (100, 5, False), (100, 3, True), (200, 1, False)]
SHAPES = [*itertools.permutations(TERMS, 3)][::12]
AMOUNTS = ["0.0001", "9.9999", "10", "10.0001", "25.5", "30"]


def stocked(shape):
    user_id, now = CustomerFactory().pk, clock.now()
    # The first charge of a month begins it, on the general path.
    give(user_id, 1, f"{user_id}-begins")
    general_charge(user_id, 1, f"{user_id}-begun")
    for number, (priority, days, paid) in enumerate(shape):
        terms = {"priority": priority, "expires_at": days and now + timedelta(days=days)}
        (buy if paid else give)(user_id, 10, f"{user_id}-{number}", **terms)
    return user_id


def written(user_id):
    """All that the ledger says of the customer, without ids and the customer's own number."""
    lots = {lot.pk: place for place, lot in enumerate(CreditLot.objects.filter(account=user_id).order_by("pk"))}
    entries = CreditTransaction.objects.filter(account=user_id).order_by("seq")
    draws = CreditDraw.objects.filter(transaction__account=user_id).order_by("transaction__seq", "pk")
    account = CreditAccount.objects.filter(pk=user_id).values().get()
    kept = IdempotencyRecord.objects.filter(key__endswith=f":{user_id}-out").values().get()
    return {
        "entries": [
            {name: value for name, value in row.items() if name not in ("id", "account_id")} for row in entries.values()
        ],
        "draws": [(draw.transaction.seq, lots[draw.lot_id], draw.amount, draw.created_at) for draw in draws],
        "remaining": list(CreditLot.objects.filter(account=user_id).order_by("pk").values_list("remaining", flat=True)),
        "account": {name: value for name, value in account.items() if name != "user_id"},
        "figures": Customer.objects.get(pk=user_id).figures.balance,
        "kept": {name: Decimal(value) for name, value in kept["result"].items() if name != "id"},
        "kept_at": kept["created_at"],
    }


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("charge", [plain_charge, batch_charge])
def test_all_paths_write_the_same_rows_and_answer_the_same(charge, amount):
    with clock.at(clock.now()):
        for shape in SHAPES:
            one, other = stocked(shape), stocked(shape)
            first, second = charge(one, amount, f"{one}-out"), general_charge(other, amount, f"{other}-out")
            assert (first.seq, first.amount, first.balance_before, first.balance_after) == (
                second.seq, second.amount, second.balance_before, second.balance_after
            )  # fmt: skip
            assert written(one) == written(other), shape
    assert list(selectors.verify()) == []


def one_statement(user_id, amount=5):
    """The plain path alone; None when it leaves the charge to the general one."""
    charge = posting(user_id, Decimal(amount).copy_negate(), f"{user_id}-out")
    with transaction.atomic():
        return plain_charges.do_one(charge)


def hold(user_id):
    services.place_hold(user_id=user_id, amount=Decimal(1), idempotency_key="test:hold")


def owe(user_id):
    bought = buy(user_id, 100, "owed").transaction_id
    general_charge(user_id, 130, "most")
    services.place_hold(user_id=user_id, amount=Decimal(100), idempotency_key="test:hold")
    services.claw_back(
        transaction_id=bought, amount=Decimal(100), kind=TransactionKind.REVERSAL, idempotency_key="test:back"
    )


def let_lapse(user_id):
    give(user_id, 1, "short", expires_at=clock.now() + timedelta(milliseconds=20))
    time.sleep(0.03)


def turn_the_month(user_id):
    general_charge(user_id, 1, "first")
    CreditAccount.objects.filter(pk=user_id).update(period_started_at=clock.now() - timedelta(days=40))


def person(**changed):
    return lambda user_id: User.objects.filter(pk=user_id).update(**changed)


IN_THE_WAY = {
    "something is held": hold,
    "something is owed": owe,
    "a lot has lapsed": let_lapse,
    "the key is known": lambda user_id: plain_charge(user_id, 5, f"{user_id}-out"),
    "the month has turned": turn_the_month,
    "too little is there": lambda user_id: general_charge(user_id, 196, "most"),
    "banned": person(status=Status.BANNED),
    "suspended": person(status=Status.SUSPENDED),
    "demo": person(demo_mode=True),
    "staff": person(is_staff=True),
}


@pytest.mark.parametrize("what", IN_THE_WAY)
def test_in_one_statement_nothing_is_charged_when_something_stands_in_the_way(what):
    user_id = CustomerFactory().pk
    give(user_id, 200)
    general_charge(user_id, 1, "begins the month")
    assert one_statement(CustomerFactory().pk) is None
    IN_THE_WAY[what](user_id)
    before = all_rows()
    assert one_statement(user_id) is None
    assert all_rows() == before


def test_in_one_statement_a_charge_is_done_that_nothing_stands_in_the_way_of():
    user_id = stocked(SHAPES[0])
    result = one_statement(user_id, 12)
    assert (result.seq, result.amount, result.balance_after) == (6, -12, 18)
    assert list(selectors.verify()) == []


def test_nobody_is_charged_in_one_statement():
    assert one_statement(10**9) is None
    with pytest.raises(errors.UnknownUser):
        plain_charge(10**9, 5)


def test_staff_is_nobody_who_is_charged():
    with pytest.raises(errors.UnknownUser):
        plain_charge(StaffFactory().pk, 5)


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_locked_is_left_to_the_general_path_which_waits():
    user_id = CustomerFactory().pk
    give(user_id, 100)
    general_charge(user_id, 1, "begins the month")
    answers = []

    def ask():
        try:
            answers.append(one_statement(user_id))
        finally:
            connection.close()

    with transaction.atomic():
        CreditAccount.objects.select_for_update().get(pk=user_id)
        thread = threading.Thread(target=ask)
        thread.start()
        # It does not wait: the lock is still ours.
        thread.join(timeout=10)
    assert answers == [None]
    assert plain_charge(user_id, 5).balance_after == 94
