"""Postings that wait for one another."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from backoffice.demo.spending import Spending
from credits.errors import UnknownUser
from credits.kinds import TransactionKind
from credits.models import CreditTransaction
from credits.postings import Posting
from tests.factories import CustomerFactory

END = datetime(2026, 3, 1, tzinfo=UTC)
MORNING = datetime(2026, 2, 20, 8, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def gift(user_id: int, key: str = "growth:a") -> Posting:
    return Posting(user_id=user_id, kind=TransactionKind.GIFT, amount=Decimal(10), idempotency_key=key)


def usage(user_id: int, amount: int) -> Posting:
    return Posting(user_id=user_id, kind=TransactionKind.USAGE, amount=Decimal(-amount), idempotency_key="api:b")


def test_waits_for_others_but_not_when_the_same_account_is_about_to_be_moved():
    one, other = CustomerFactory.create_batch(2)
    spending = Spending(END)
    spending.add(MORNING, gift(one.pk))
    spending.settle(other.pk)
    assert not CreditTransaction.objects.exists()
    spending.settle(one.pk)
    assert CreditTransaction.objects.get().created_at == MORNING


def test_an_account_that_is_about_to_be_moved_makes_nobody_else_hurry():
    one, other = CustomerFactory.create_batch(2)
    spending = Spending(END)
    spending.add(MORNING, gift(one.pk))
    spending.add(MORNING, gift(other.pk, key="growth:b"))
    spending.settle(one.pk)
    assert CreditTransaction.objects.get().account_id == one.pk
    spending.flush()
    assert CreditTransaction.objects.count() == 2


def test_posts_what_waits_when_the_next_batch_begins():
    user_id = CustomerFactory().pk
    spending = Spending(END)
    spending.add(MORNING, gift(user_id))
    spending.add(MORNING + timedelta(hours=12), gift(user_id, key="growth:b"))
    assert CreditTransaction.objects.count() == 1


def test_counts_spends_for_which_there_is_too_little():
    user_id = CustomerFactory().pk
    spending = Spending(END)
    spending.add(MORNING, gift(user_id))
    spending.add(MORNING, usage(user_id, 11))
    spending.flush()
    assert spending.rejected == 1
    assert CreditTransaction.objects.count() == 1


def test_any_other_refusal_is_an_error():
    spending = Spending(END)
    spending.add(MORNING, gift(0))
    with pytest.raises(UnknownUser):
        spending.flush()
