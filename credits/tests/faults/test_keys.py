"""One key, one effect: for every act, at once and one after another."""

from dataclasses import replace
from decimal import Decimal

import pytest

from credits import errors, services
from credits.models import CreditTransaction
from credits.tests.faults.acts import (
    ACTS,
    CHARGES,
    FIVE,
    KEY,
    TARGETS,
    WITH_AMOUNT,
    all_rows,
    assert_proven,
    give,
    posting,
    scene,
)
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ACTS)
def test_twenty_times_at_once_with_one_key_is_one_effect_and_one_answer(name):
    act = ACTS[name](scene())
    before = CreditTransaction.objects.count()
    results = at_once([act] * 20)
    assert [result.replayed for result in results].count(False) == 1
    assert len({replace(result, replayed=True) for result in results}) == 1
    assert CreditTransaction.objects.count() == before + (name not in ("hold", "release"))
    assert_proven()


def changes(name):
    if name in WITH_AMOUNT:
        yield "amount"
    yield "account"
    yield "kind"


@pytest.mark.parametrize(("name", "change"), [(name, change) for name in ACTS for change in changes(name)])
def test_a_used_key_with_another_content_is_a_conflict_and_writes_nothing(name, change):
    at = scene()
    act = ACTS[name](at)
    if change == "kind":
        # The key first did something else to the same account.
        services.post(posting(at.user_id, 7, "", idempotency_key=KEY))
        changed = {}
    else:
        act()
        parameter, attribute = TARGETS[name]
        changed = {"amount": FIVE + 1} if change == "amount" else {parameter: getattr(at.other, attribute)}
    before = all_rows()
    with pytest.raises(errors.IdempotencyConflict):
        act(**changed)
    assert all_rows() == before


@pytest.mark.parametrize("name", ACTS)
def test_the_same_again_changes_nothing_whatever_became_of_the_customer(name):
    at = scene()
    act = ACTS[name](at)
    first = act()
    services.post(posting(at.user_id, -1, "more"))
    before = all_rows()
    assert act() == replace(first, replayed=True)
    assert all_rows() == before


@pytest.mark.parametrize("charge", CHARGES)
def test_a_charge_that_was_refused_may_be_tried_again_with_its_key(charge):
    user_id = CustomerFactory().pk
    give(user_id, 4)
    with pytest.raises(errors.InsufficientCredits):
        charge(user_id, 5)
    give(user_id, 10, "more")
    result = charge(user_id, 5)
    assert (result.balance_after, result.replayed) == (9, False)
    assert charge(user_id, 5).replayed


def test_a_hold_or_capture_that_was_refused_may_be_tried_again_with_its_key():
    at = scene()
    hold, capture = ACTS["hold"](at), ACTS["capture"](at)
    with pytest.raises(errors.InsufficientCredits):
        hold(amount=Decimal(10_000), idempotency_key="test:hold")
    assert not hold(idempotency_key="test:hold").replayed
    with pytest.raises(errors.CaptureTooLarge):
        capture(amount=Decimal(21))
    assert capture(amount=Decimal(20)).captured == 20
    assert_proven()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["gift", "refund", "adjustment", "reversal by hand"])
def test_a_double_click_of_staff_makes_one_entry_and_one_line_in_the_log(name):
    from audit.models import AuditEntry  # noqa: PLC0415 (read here alone)

    act = ACTS[name](scene())
    before, told = CreditTransaction.objects.count(), AuditEntry.objects.count()
    first, second = at_once([act] * 2)
    assert first.transaction_id == second.transaction_id
    assert CreditTransaction.objects.count() == before + 1
    assert AuditEntry.objects.count() == told + 1


@pytest.mark.django_db(transaction=True)
def test_one_key_on_two_accounts_at_once_is_one_entry_and_one_conflict():
    users = CustomerFactory.create_batch(2)
    results = at_once([lambda u=user: give(u.pk, 10, "same") for user in users for _ in range(4)])
    conflicts = [result for result in results if isinstance(result, errors.IdempotencyConflict)]
    entries = {result.transaction_id for result in results if not isinstance(result, Exception)}
    assert (len(conflicts), len(entries)) == (4, 1)
    assert CreditTransaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_charges_with_one_key_on_two_accounts_at_once_are_one_entry_and_one_conflict():
    users = CustomerFactory.create_batch(2)
    for user in users:
        give(user.pk, 10, f"in{user.pk}")
    results = at_once([lambda c=c, u=u: c(u.pk, 1, "same") for c in CHARGES for u in users for _ in range(3)])
    conflicts = [result for result in results if isinstance(result, errors.IdempotencyConflict)]
    entries = {result.transaction_id for result in results if not isinstance(result, Exception)}
    assert (len(conflicts), len(entries)) == (9, 1)
    assert_proven()
