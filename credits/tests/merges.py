"""What tests of merging do over and over."""

from datetime import timedelta
from decimal import Decimal

from accounts import services as accounts
from credits import services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditTransaction
from credits.postings import Posting
from tests.factories import StaffFactory

DAY = timedelta(days=1)
TOKEN = "6f1f7a52-7d0e-4b8f-9b0f-0d7c1a3f9d11"


def post(user, amount, name, kind=TransactionKind.GIFT, **more):
    return services.post(
        Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{user.pk}:{name}", **more)
    )


def charge(user_id, amount, name):
    return services.charge_credits(user_id=user_id, amount=Decimal(amount), idempotency_key=f"test:{user_id}:{name}")


def take_back(bought, amount):
    return services.claw_back(
        transaction_id=bought.transaction_id,
        amount=Decimal(amount),
        kind=TransactionKind.REVERSAL,
        idempotency_key="test:back",
    )


def merge(survivor, merged, actor=None, reason="Signed up twice"):
    return accounts.merge_customers(
        survivor_id=survivor.pk, merged_id=merged.pk, reason=reason, actor=actor or StaffFactory()
    )


def balance(user):
    return CreditAccount.objects.get(pk=user.pk).balance


def entries(user):
    return list(CreditTransaction.objects.filter(account_id=user.pk).order_by("seq").values_list("kind", "amount"))
