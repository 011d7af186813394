"""Thousands of random operations on the model and on the services, which must agree after each of them.

``LEDGER_MODEL_SEED`` runs one seed alone, ``LEDGER_MODEL_STEPS`` says how many operations a run has. A failure names
both and the operations that led to it.
"""

import os
from datetime import UTC, datetime
from random import Random

import pytest

from backoffice.lib import clock
from credits import selectors
from credits.tests.model.allowances import FullLedger
from credits.tests.model.books import Person
from credits.tests.model.operations import Dice, Operation
from credits.tests.model.picture import of_model
from credits.tests.model.real import RealLedger
from credits.tests.model.records import Account

START = datetime(2026, 1, 30, 22, tzinfo=UTC)
SEEDS = [int(os.environ["LEDGER_MODEL_SEED"])] if "LEDGER_MODEL_SEED" in os.environ else [1, 2, 3]
STEPS = int(os.environ.get("LEDGER_MODEL_STEPS", 700))
PROVE_EVERY = max(200, STEPS // 20)
CUSTOMERS = 5
# Every so often a customer is left alone for good and a new one comes, so that long runs stay as fast as short ones.
CHANCE_OF_A_NEW_CUSTOMER = 0.008


class Run:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.model = FullLedger(START)
        self.real = RealLedger(START)
        self.users = [self.new_person(is_demo=False) for _ in range(CUSTOMERS)] + [self.new_person(is_demo=True)]
        self.dice = Dice(self.random, self.model, self.users)
        self.done: list[Operation] = []
        self.seed = seed

    def new_person(self, *, is_demo: bool) -> int:
        user_id = self.real.new_person(is_demo=is_demo)
        self.model.people[user_id] = Person(is_demo=is_demo)
        return user_id

    def step(self) -> None:
        if self.random.random() < CHANCE_OF_A_NEW_CUSTOMER:
            self.users[self.random.randrange(CUSTOMERS)] = self.new_person(is_demo=False)
        operation = self.dice.operation()
        self.done.append(operation)
        self.model.now = self.real.now = self.model.now + operation.wait
        counts = {user_id: len(self.account(user_id).entries) for user_id in self.dice.touched(operation)}
        expected = getattr(self.model, operation.act)(**operation.told)
        answered = getattr(self.real, operation.act)(**operation.told)
        assert answered == expected, f"the model answers {expected}, the services {answered}"
        for user_id, count in counts.items():
            self.compare(user_id)
            self.compare_period(user_id, count)

    def account(self, user_id: int) -> Account:
        return self.model.accounts.get(user_id) or Account(user_id)

    def compare(self, user_id: int) -> None:
        found = of_model(self.model, user_id).differences(self.real.picture(user_id))
        assert not found, "\n".join([f"customer {user_id}, the model first", *found])

    def compare_period(self, user_id: int, entries_before: int) -> None:
        """The figure of the period is brought up to date whenever something is consumed or given back."""
        expected = self.model.consumed_this_period(user_id)
        if expected is not None and any(
            entry.kind in ("usage", "refund") for entry in self.account(user_id).entries[entries_before:]
        ):
            assert self.real.consumed_this_period(user_id) == expected

    def prove(self) -> None:
        with clock.at(self.real.now):
            assert list(selectors.verify()) == []

    def story(self) -> str:
        """How to see it again, and what led to it."""
        told = f"LEDGER_MODEL_SEED={self.seed} LEDGER_MODEL_STEPS={len(self.done)}, at {self.model.now}, after"
        last = list(enumerate(self.done, start=1))[-20:]
        return "\n".join([told, *(f"{number:>6} {operation}" for number, operation in last)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_services_agree_with_the_model_after_each_operation(seed):
    run = Run(seed)
    try:
        for number in range(1, STEPS + 1):
            run.step()
            if number % PROVE_EVERY == 0 or number == STEPS:
                run.prove()
        for user_id in run.model.people:
            run.compare(user_id)
    except Exception as failure:
        failure.add_note(run.story())
        raise
    assert sum(len(account.entries) for account in run.model.accounts.values()) > STEPS / 3
