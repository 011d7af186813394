from decimal import Decimal

import pytest

from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditAccount
from credits.postings import Posting
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def purchase(user, amount="100", key="k1", **more):
    return Posting(
        user_id=user.pk, kind=TransactionKind.PURCHASE, amount=Decimal(amount), idempotency_key=f"test:{key}", **more
    )


def test_a_purchase_opens_a_lot_and_moves_the_balance():
    user = CustomerFactory()
    result = services.post(purchase(user, paid_minor=999, currency="usd"))
    account = CreditAccount.objects.get(user=user)
    assert (result.seq, result.balance_before, result.balance_after) == (1, 0, 100)
    assert account.balance == account.lots_total == 100
    lot = account.lots.get()
    assert (lot.amount, lot.remaining, lot.paid_minor, lot.currency) == (100, 100, 999, "USD")
    user.figures.refresh_from_db()
    assert user.figures.balance == 100
