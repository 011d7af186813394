"""A ban beside charges that run: from its commit on nothing is charged."""

import threading
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from accounts import services as accounts
from backoffice.lib import clock
from credits import selectors, services
from credits.errors import CustomerBanned, CustomerSuspended
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer():
    customer = CustomerFactory()
    services.post(
        Posting(user_id=customer.pk, kind=TransactionKind.GIFT, amount=Decimal(1000), idempotency_key="test:gift")
    )
    return customer


def charge(user_id, key):
    return services.charge_credits(user_id=user_id, amount=Decimal(1), idempotency_key=f"test:{key}")


def test_nothing_is_charged_after_a_ban_that_came_among_many_charges(customer):
    staff, banned = StaffFactory(), threading.Event()

    def charge_until_refused(name):
        for number in range(500):
            was_banned = banned.is_set()
            try:
                charge(customer.pk, f"{name}-{number}")
            except CustomerBanned:
                return number
            assert not was_banned, "charged after the ban had committed"
        raise AssertionError("the ban was never seen")

    def ban():
        while CreditTransaction.objects.count() < 20:
            pass
        accounts.ban_customer(user_id=customer.pk, reason="Fraud", actor=staff)
        banned.set()

    answers = at_once([ban, *(lambda name=name: charge_until_refused(name) for name in "abc")])
    assert [type(answer) for answer in answers] == [type(None), int, int, int], answers
    assert sum(answers[1:]) == CreditTransaction.objects.filter(kind="usage").count()
    assert list(selectors.verify()) == []


def test_bans_and_their_lifts_all_at_once_leave_one_history(customer):
    staff = StaffFactory()
    calls = [
        lambda: accounts.ban_customer(user_id=customer.pk, reason="x", actor=staff),
        lambda: accounts.unban_customer(user_id=customer.pk, reason="x", actor=staff),
    ] * 4
    assert not [answer for answer in at_once(calls) if isinstance(answer, Exception)]
    changes = list(customer.status_changes.order_by("pk").values_list("old", "new"))
    assert all(old != new for old, new in changes)
    assert all(before[1] == after[0] for before, after in pairwise(changes))


def test_a_status_that_is_due_is_lifted_once_by_many_sweeps(customer):
    accounts.suspend_customer(
        user_id=customer.pk, reason="x", actor=StaffFactory(), until=clock.now() + timedelta(milliseconds=200)
    )
    threading.Event().wait(0.3)
    assert sorted(at_once([accounts.lift_due_statuses] * 6)) == [0, 0, 0, 0, 0, 1]
    assert customer.status_changes.filter(source="clock").count() == 1


@pytest.mark.parametrize("shut_out", [accounts.ban_customer, accounts.suspend_customer])
def test_what_is_over_lets_charges_through_before_any_sweep(customer, shut_out):
    shut_out(user_id=customer.pk, reason="x", actor=StaffFactory(), until=clock.now() + timedelta(seconds=1))
    with pytest.raises((CustomerBanned, CustomerSuspended)):
        charge(customer.pk, "during")
    with clock.at(clock.now() + timedelta(seconds=2)):
        assert charge(customer.pk, "after").transaction_id
