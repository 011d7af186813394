"""Acts of staff on the ledger: what they may undo, and that no act stands without its line in the audit log."""

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.models import AuditEntry
from backoffice.lib import clock
from credits import errors, selectors, services
from credits.models import CreditLot, CreditTransaction
from credits.tests.faults.acts import ACTS, all_rows, buy, general_charge, give, scene
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

STAFF_ACTS = ["gift", "adjustment", "refund", "reversal by hand"]


def reverse(transaction_id, staff, key="test:reverse", **more):
    return services.reverse_transaction(
        transaction_id=transaction_id, reason="wrong", actor=staff, idempotency_key=key, **more
    )


@pytest.fixture
def user_id():
    return CustomerFactory().pk


@pytest.fixture
def staff():
    return StaffFactory()


@pytest.mark.parametrize("name", STAFF_ACTS)
def test_an_act_of_staff_leaves_one_line_with_who_and_why(name):
    at = scene(alone=True)
    before = AuditEntry.objects.count()
    result = ACTS[name](at)()
    assert AuditEntry.objects.count() == before + 1
    told = AuditEntry.objects.order_by("-pk").first()
    assert (told.actor_id, told.new_values["transaction"]) == (at.staff.pk, result.transaction_id)
    assert told.reason in ("sorry", "failed", "wrong")


@pytest.mark.parametrize("name", STAFF_ACTS)
def test_when_the_log_cannot_be_written_the_act_is_undone(name, monkeypatch):
    act = ACTS[name](scene(alone=True))
    before = all_rows()

    def fail(**_):
        raise RuntimeError("the log is full")

    monkeypatch.setattr("audit.services.record", fail)
    with pytest.raises(RuntimeError):
        act()
    assert all_rows() == before


@pytest.mark.parametrize("name", STAFF_ACTS)
def test_without_a_reason_nothing_is_done(name):
    act = ACTS[name](scene(alone=True))
    before = all_rows()
    with pytest.raises(errors.ReasonMissing):
        act(reason="  ")
    assert all_rows() == before


def test_of_a_gift_what_is_left_is_taken_back_and_nothing_else(user_id, staff):
    gift = give(user_id, 100).transaction_id
    give(user_id, 50, "other")
    general_charge(user_id, 30)
    assert reverse(gift, staff).amount == -70
    assert [lot.remaining for lot in CreditLot.objects.order_by("pk")] == [0, 50]
    assert list(selectors.verify()) == []


def test_an_expiry_is_given_back_for_the_days_of_grace(user_id, staff, settings):
    now = clock.now()
    give(user_id, 40, expires_at=now + timedelta(days=1))
    later = now + timedelta(days=2)
    with clock.at(later):
        services.expire_credits()
        expiry = CreditTransaction.objects.get(kind="expiry")
        restored = reverse(expiry.pk, staff)
        assert restored.amount == 40
        # What gave something back opened no credits of its own that could be taken.
        with pytest.raises(errors.NotReversible, match="adjustment"):
            reverse(restored.transaction_id, staff, key="test:again")
    lot = CreditLot.objects.order_by("-pk").first()
    assert (lot.remaining, lot.expires_at) == (40, later + settings.CREDIT_REFUND_GRACE)
    assert list(selectors.verify()) == []


def test_a_payment_and_a_usage_are_not_reversed_by_hand(user_id, staff):
    for entry in (buy(user_id, 10), general_charge(user_id, 1)):
        with pytest.raises(errors.NotReversible):
            reverse(entry.transaction_id, staff)
    with pytest.raises(errors.UnknownTransaction):
        reverse(10**15, staff)


def test_a_refund_into_a_lapsed_lot_keeps_its_value_for_the_days_of_grace(user_id, settings):
    now = clock.now()
    bought = buy(user_id, 100, expires_at=now + timedelta(days=1)).transaction_id
    used = general_charge(user_id, 40).transaction_id
    later = now + timedelta(days=2)
    with clock.at(later):
        services.refund_usage(transaction_id=used, amount=Decimal(10), reason="failed", idempotency_key="test:refund")
    lot = CreditLot.objects.order_by("-pk").first()
    assert (lot.remaining, lot.paid_minor, lot.currency) == (10, 100, "USD")
    assert (lot.parent.transaction_id, lot.expires_at) == (bought, later + settings.CREDIT_REFUND_GRACE)
    assert list(selectors.verify()) == []
