"""What the product is told of the ledger: allowances, and balances that ran low, once for each fall."""

from datetime import timedelta
from decimal import Decimal

import pytest

from backoffice.lib import clock
from credits import services, tasks
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditTransaction
from credits.tests.faults.acts import buy, give
from jobs.models import OutboxMessage
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(settings):
    settings.LOW_BALANCE_CREDITS = Decimal(10)
    return CustomerFactory(external_id="ours_7")


def spend(user_id, amount, key):
    return services.charge_credits(user_id=user_id, amount=Decimal(amount), idempotency_key=f"test:{key}")


def told(topic="credits.balance_low"):
    tasks.tell_of_movements()
    return list(OutboxMessage.objects.filter(topic=topic).order_by("id").values_list("payload", flat=True))


def test_a_balance_that_falls_below_the_threshold_is_told_once(customer):
    give(customer.pk, 100)
    spend(customer.pk, 90, "exactly there")
    assert told() == []
    spend(customer.pk, "0.5", "below")
    entry = CreditTransaction.objects.latest("seq")
    expected = {
        "user": "ours_7",
        "threshold": "10",
        "balance": "9.5",
        "transaction": entry.pk,
        "at": entry.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert told() == [expected]
    for number in range(3):
        spend(customer.pk, 1, f"further down {number}")
    assert told() == [expected]


def test_it_is_told_again_for_the_next_fall(customer):
    give(customer.pk, 20)
    spend(customer.pk, 15, "first")
    assert len(told()) == 1
    give(customer.pk, 20, "more")
    assert len(told()) == 1
    spend(customer.pk, 20, "second")
    assert [message["balance"] for message in told()] == ["5", "5"]


def test_of_falls_between_two_looks_the_last_is_told_and_none_that_was_made_good(customer):
    give(customer.pk, 20)
    spend(customer.pk, 15, "first")
    give(customer.pk, 20, "more")
    assert told() == []
    spend(customer.pk, 22, "second")
    assert [message["balance"] for message in told()] == ["3"]


def test_who_never_had_enough_has_not_fallen(customer):
    give(customer.pk, 5)
    spend(customer.pk, 1, "small")
    assert told() == []


def test_without_a_threshold_nothing_is_told_of_balances(customer, settings):
    settings.LOW_BALANCE_CREDITS = Decimal(0)
    buy(customer.pk, 20)
    bought = CreditTransaction.objects.latest("seq")
    spend(customer.pk, 20, "all")
    # Below nothing too.
    services.claw_back(
        transaction_id=bought.pk, amount=Decimal(20), kind=TransactionKind.REVERSAL, idempotency_key="test:back"
    )
    assert CreditAccount.objects.get().balance == -20
    assert told() == []


def test_customers_whom_the_product_does_not_know_are_left_out(customer):
    customer.external_id = None
    customer.save()
    give(customer.pk, 20)
    spend(customer.pk, 20, "all")
    services.set_allowance(user_id=customer.pk, amount=Decimal(5), period_start=clock.now())
    assert told() + told("credits.allowance_granted") == []


def test_an_allowance_is_told_with_each_grant(customer):
    start = clock.now()
    for amount in (100, 150):
        services.set_allowance(user_id=customer.pk, amount=Decimal(amount), period_start=start)
    messages = told("credits.allowance_granted")
    assert [(message["user"], message["amount"], message["balance"]) for message in messages] == [
        ("ours_7", "100", "100"),
        ("ours_7", "50", "150"),
    ]
    assert told("credits.allowance_granted") == messages


def test_what_a_sweep_missed_for_hours_the_nightly_one_tells(customer):
    with clock.at(clock.now() - timedelta(hours=20)):
        services.set_allowance(user_id=customer.pk, amount=Decimal(100), period_start=clock.now())
    assert told("credits.allowance_granted") == []
    tasks.tell_of_movements(hours=72)
    assert len(told("credits.allowance_granted")) == 1


def test_a_sweep_costs_the_same_for_one_and_for_many(customer, django_assert_num_queries, monkeypatch):
    for _ in range(20):
        user = CustomerFactory()
        give(user.pk, 20, f"in{user.pk}")
        spend(user.pk, 15, f"out{user.pk}")
    with django_assert_num_queries(6):
        assert services.tell_of_movements(look_back=timedelta(minutes=15)) == 20


def test_more_than_one_statement_holds_are_told_all_the_same(customer, monkeypatch):
    monkeypatch.setattr("credits.services.telling.AT_ONCE", 2)
    for _ in range(5):
        user = CustomerFactory()
        give(user.pk, 20, f"in{user.pk}")
        spend(user.pk, 15, f"out{user.pk}")
    assert len(told()) == 5
