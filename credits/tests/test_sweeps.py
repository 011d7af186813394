"""The sweeps go on past an account that contradicts itself."""

from datetime import timedelta
from decimal import Decimal

import pytest

from backoffice.lib import clock
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditAccount
from credits.postings import Posting
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def post(user_id, amount, kind, **more):
    services.post(
        Posting(
            user_id=user_id,
            kind=kind,
            amount=Decimal(amount),
            idempotency_key=f"test:{user_id}:{kind}:{amount}",
            **more,
        )
    )


def spoil(user_id):
    """The number of the next entry is taken."""
    CreditAccount.objects.filter(pk=user_id).update(seq=0)


@pytest.fixture
def people():
    return [user.pk for user in CustomerFactory.create_batch(3)]


def test_one_broken_account_does_not_keep_the_credits_of_others_from_lapsing(people, caplog):
    first, broken, last = people
    now = clock.now()
    for user_id in people:
        post(user_id, 10, TransactionKind.GIFT, expires_at=now + timedelta(days=1))
        post(user_id, -5, TransactionKind.USAGE)
    spoil(broken)
    with clock.at(now + timedelta(days=2)):
        assert services.expire_credits() == 2
    balances = dict(CreditAccount.objects.values_list("pk", "balance"))
    assert balances == {first: 0, broken: 5, last: 0}
    assert [record.user_id for record in caplog.records if "left out" in record.message] == [broken]


def test_one_broken_account_does_not_keep_others_from_their_allowance(people, caplog):
    now = clock.now()
    for user_id in people:
        services.set_allowance(user_id=user_id, amount=Decimal(10), period_start=now)
        post(user_id, -5, TransactionKind.USAGE)
    spoil(people[0])
    with clock.at(now + timedelta(days=35)):
        assert services.reset_allowances() == 2
        assert services.reset_allowances() == 0
    assert sorted(CreditAccount.objects.values_list("balance", flat=True)) == [5, 10, 10]
    assert {record.user_id for record in caplog.records if "left out" in record.message} == {people[0]}
