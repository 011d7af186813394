"""What comes to a row after it was merged or anonymised: it finds its way to who stayed, or is refused."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.errors import CustomerRetired, MergeRefused
from backoffice.lib import clock
from credits import approving, selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditLot, CreditTransaction
from credits.services import merging
from credits.tests.merges import DAY, TOKEN, balance, charge, merge, post
from jobs.services import approve, request_approval
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import while_another_waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    return CustomerFactory(external_id="stays", full_name=""), CustomerFactory(external_id="goes", full_name="Ada")


def test_a_payment_that_is_refunded_after_the_merge_is_paid_by_who_stays(pair):
    survivor, merged = pair
    bought = post(merged, 10, "bought", TransactionKind.PURCHASE, paid_minor=100, currency="USD")
    merge(survivor, merged)
    services.claw_back(
        transaction_id=bought.transaction_id,
        amount=Decimal(10),
        kind=TransactionKind.REVERSAL,
        idempotency_key="test:r",
    )
    assert CreditAccount.objects.get(pk=merged.pk).debt == 10
    assert services.settle_merged() == 1
    assert services.settle_merged() == 0
    assert (balance(survivor), CreditAccount.objects.get(pk=merged.pk).debt) == (0, 0)
    assert list(selectors.verify()) == []


def test_what_who_stays_cannot_pay_waits_for_them_to_have_it(pair):
    survivor, merged = pair
    bought = post(merged, 10, "bought", TransactionKind.PURCHASE, paid_minor=100, currency="USD")
    merge(survivor, merged)
    charge(survivor.pk, 7, "used")
    services.claw_back(
        transaction_id=bought.transaction_id,
        amount=Decimal(10),
        kind=TransactionKind.REVERSAL,
        idempotency_key="test:r",
    )
    services.settle_merged()
    assert CreditAccount.objects.get(pk=merged.pk).debt == 7
    post(survivor, 50, "later")
    services.settle_merged()
    assert (balance(survivor), CreditAccount.objects.get(pk=merged.pk).debt) == (43, 0)
    assert list(selectors.verify()) == []


def test_a_usage_that_is_refunded_after_the_merge_reaches_who_stayed_with_its_terms(pair):
    survivor, merged = pair
    end = clock.now() + 9 * DAY
    post(merged, 10, "bought", TransactionKind.PURCHASE, paid_minor=100, currency="USD", expires_at=end)
    used = charge(merged.pk, 4, "used")
    merge(survivor, merged)
    services.refund_usage(
        transaction_id=used.transaction_id,
        amount=None,
        reason="It failed",
        idempotency_key="test:refund",
        actor=StaffFactory(),
    )
    assert (balance(merged), balance(survivor)) == (4, 6)
    assert services.settle_merged() == 1
    assert services.settle_merged() == 0
    assert (balance(merged), balance(survivor)) == (0, 10)
    lots = CreditLot.objects.filter(account_id=survivor.pk).order_by("pk")
    assert [(lot.amount, lot.paid_minor, lot.expires_at) for lot in lots] == [(6, 60, end), (4, 40, end)]
    assert list(selectors.verify()) == []


def test_one_account_that_is_refused_keeps_no_other_from_being_settled(pair, monkeypatch):
    survivor, merged = pair
    other, broken = CustomerFactory(), CustomerFactory()
    merge(survivor, broken)
    merge(other, merged)
    for user in (merged, broken):
        post(user, 5, "late")
    move = merging._move

    def refuse_one(account, *where):
        if account.user_id == broken.pk:
            raise MergeRefused("No.")
        return move(account, *where)

    monkeypatch.setattr(merging, "_move", refuse_one)
    assert services.settle_merged() == 1
    assert (balance(other), balance(broken)) == (5, 5)


RETIRING = {
    "merged": lambda user: merge(CustomerFactory(), user),
    "anonymised": lambda user: accounts.anonymise_user(user_id=user.pk, reason="Asked for it", actor=StaffFactory()),
}
NAMED = {"reason": "r", "idempotency_key": "test:late"}
ACTS = {
    "gift": lambda user, given, actor: services.gift_credits(user_id=user.pk, amount=Decimal(5), actor=actor, **NAMED),
    "adjust": lambda user, given, actor: services.adjust_credits(
        user_id=user.pk, amount=Decimal(5), actor=actor, **NAMED
    ),
    "allowance": lambda user, given, actor: services.adjust_allowance(
        user_id=user.pk, amount=Decimal(5), actor=actor, **NAMED
    ),
    "reverse": lambda user, given, actor: services.reverse_transaction(transaction_id=given, actor=actor, **NAMED),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("retire", RETIRING.values(), ids=RETIRING)
def test_staff_move_no_credits_of_somebody_who_was_merged_or_anonymised(act, retire):
    user = CustomerFactory()
    post(user, 10, "given")
    taken = post(user, -3, "taken", TransactionKind.ADJUSTMENT).transaction_id
    retire(user)
    entries = CreditTransaction.objects.count()
    with pytest.raises(CustomerRetired):
        act(user, taken, StaffFactory(is_superuser=True))
    assert CreditTransaction.objects.count() == entries


def test_what_a_merge_took_is_not_given_back_by_hand_and_so_made_twice(pair):
    survivor, merged = pair
    post(merged, 10, "given")
    merge(survivor, merged)
    taken = CreditTransaction.objects.get(account_id=merged.pk, amount=-10)
    with pytest.raises(CustomerRetired):
        ACTS["reverse"](merged, taken.pk, StaffFactory(is_superuser=True))
    assert (balance(merged), balance(survivor)) == (0, 10)


def test_forms_and_programs_say_why_a_merged_customer_gets_nothing(pair, client):
    survivor, merged = pair
    merge(survivor, merged)
    boss = StaffFactory(is_superuser=True)
    client.force_login(boss)
    for form in ("gift", "adjust", "allowance"):
        told = {"amount": "5", "reason": "r", "last_day": "", "token": TOKEN}
        page = client.post(reverse(f"admin:credits_{form}", args=[merged.pk]), told).content.decode()
        assert "was merged or anonymised" in page
    program = Program(key("read", "admin", staff=boss))
    body = {"user": f"{merged.pk}@retired.invalid", "amount": "5", "reason": "r", "idempotency_key": "k"}
    answer = program.post("admin/credits/gift", body)
    assert (answer.status_code, code_of(answer)) == (409, "user_retired")


def test_a_request_about_somebody_who_is_merged_meanwhile_fails_and_gives_nothing(pair):
    survivor, merged = pair
    asker, second = StaffFactory(is_superuser=True), StaffFactory(is_superuser=True)
    merge(survivor, merged)
    approval = request_approval(
        verb="credits.gift",
        params=approving.addition(merged.pk, Decimal(500), None),
        amount=Decimal(500),
        resource=("accounts.user", str(merged.pk)),
        actor=asker,
        reason="r",
        token="test:request",
    )
    decided = approve(approval_id=approval.pk, actor=second)
    assert decided.state == "failed" and "was merged or anonymised" in decided.outcome
    assert not CreditTransaction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_gift_that_waits_for_a_merge_is_refused_by_it(pair):
    survivor, merged = pair
    boss = StaffFactory(is_superuser=True)
    merging, gift = while_another_waits(lambda: merge(survivor, merged), lambda: ACTS["gift"](merged, None, boss))
    assert merging.survivor == survivor
    assert isinstance(gift, CustomerRetired)
    assert not CreditTransaction.objects.exists()
