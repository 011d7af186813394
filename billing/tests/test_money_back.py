"""Refunds booked below HTTP: one row each by Stripe's last word, and what follows for the payment and its credits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import CustomerFigures
from billing.errors import Parked
from billing.models import CreditPolicy, Payment, PaymentStatus, Refund, RefundStatus
from billing.readings.refunds import RefundTold
from billing.selectors.reconciliation import out_of_balance
from billing.services.money_back import book_refund
from billing.services.payments import PaymentDetails, Purchase, book_payment
from billing.services.settling import settle_money_back
from credits.models import CreditTransaction
from credits.selectors import balance_of, verify
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def paid(customer):
    """1000 cents for 100 credits."""
    return book_payment(
        purchase=Purchase(
            user_id=customer.pk,
            stripe_payment_id="pi_1",
            amount_minor=1000,
            currency="USD",
            credits=Decimal(100),
            details=PaymentDetails(paid_at=NOON),
        )
    )


def told(refund_id="re_1", amount=300, *, status=RefundStatus.SUCCEEDED, minutes=1, **fields):
    at = NOON + timedelta(minutes=minutes)
    known = {"currency": "USD", "created_at": NOON + timedelta(minutes=1), "at": at}
    return RefundTold(stripe_refund_id=refund_id, amount_minor=amount, status=status, **known | fields)


def stands(payment, *, refunded, status, balance):
    payment.refresh_from_db()
    assert (payment.refunded_minor, payment.status) == (refunded, status)
    assert balance_of(payment.user_id).balance == Decimal(balance)
    assert CustomerFigures.objects.get(user=payment.user_id).spend_minor == payment.kept_minor
    assert list(verify()) == []
    return True


def asked_for(payment, **fields):
    defaults = {
        "idempotency_key": "refund:1",
        "actor": StaffFactory(),
        "amount_minor": 300,
        "refunded_at": NOON,
        "next_attempt_at": NOON,
    }
    return Refund.objects.create(payment=payment, **defaults | fields)


def test_a_refund_takes_its_share_of_the_credits_back_once(paid):
    for _ in range(3):
        book_refund(payment_id=paid.pk, told=told(stripe_reason="requested_by_customer"))
    assert stands(paid, refunded=300, status=PaymentStatus.PARTIALLY_REFUNDED, balance="70")
    refund = Refund.objects.get()
    assert (refund.status, refund.policy, refund.actor) == (RefundStatus.SUCCEEDED, CreditPolicy.CLAW_BACK, None)
    assert (refund.stripe_reason, refund.refunded_at) == ("requested_by_customer", NOON + timedelta(minutes=1))
    taken = CreditTransaction.objects.get(kind="reversal")
    assert (taken.amount, taken.reference) == (-30, "pi_1")


def test_thirty_and_thirty_and_forty_are_all_of_it(paid):
    for number, amount in enumerate((300, 300, 400)):
        book_refund(payment_id=paid.pk, told=told(f"re_{number}", amount))
    assert stands(paid, refunded=1000, status=PaymentStatus.REFUNDED, balance="0")


def test_a_refund_that_failed_is_given_back_and_stays_failed(paid):
    book_refund(payment_id=paid.pk, told=told())
    failed = told(status=RefundStatus.FAILED, minutes=5, failure="expired_or_canceled_card")
    book_refund(payment_id=paid.pk, told=failed)
    assert stands(paid, refunded=0, status=PaymentStatus.SUCCEEDED, balance="100")
    book_refund(payment_id=paid.pk, told=told(minutes=9))
    assert stands(paid, refunded=0, status=PaymentStatus.SUCCEEDED, balance="100")
    refund = Refund.objects.get()
    assert (refund.failure, refund.failed_at) == ("expired_or_canceled_card", NOON + timedelta(minutes=5))


def test_a_failure_that_is_told_first_is_not_undone_by_what_is_told_late(paid):
    book_refund(payment_id=paid.pk, told=told(status=RefundStatus.FAILED, minutes=5))
    book_refund(payment_id=paid.pk, told=told(status=RefundStatus.PENDING))
    assert stands(paid, refunded=0, status=PaymentStatus.SUCCEEDED, balance="100")
    assert not CreditTransaction.objects.filter(kind="reversal").exists()


def test_of_several_refunds_one_that_fails_gives_back_its_own_share(paid):
    for number, amount in enumerate((300, 300, 400)):
        book_refund(payment_id=paid.pk, told=told(f"re_{number}", amount))
    book_refund(payment_id=paid.pk, told=told("re_0", status=RefundStatus.FAILED, minutes=5))
    assert stands(paid, refunded=700, status=PaymentStatus.PARTIALLY_REFUNDED, balance="30")


def test_one_that_we_asked_for_counts_once_stripe_knows_of_it(paid):
    ours = asked_for(paid)
    settle_money_back(payment_id=paid.pk)
    assert stands(paid, refunded=0, status=PaymentStatus.SUCCEEDED, balance="100")
    book_refund(payment_id=paid.pk, told=told(ours=ours.pk))
    assert stands(paid, refunded=300, status=PaymentStatus.PARTIALLY_REFUNDED, balance="70")
    ours.refresh_from_db()
    assert (ours.stripe_refund_id, ours.status, ours.next_attempt_at) == ("re_1", RefundStatus.SUCCEEDED, None)
    # The reply and the webhook both tell of it.
    book_refund(payment_id=paid.pk, told=told(ours=ours.pk, minutes=2))
    assert Refund.objects.count() == 1


def test_one_that_we_gave_up_is_ours_if_stripe_has_made_it_after_all(paid):
    ours = asked_for(paid, status=RefundStatus.FAILED, failed_at=NOON, next_attempt_at=None, failure="No such refund")
    book_refund(payment_id=paid.pk, told=told(ours=ours.pk))
    assert stands(paid, refunded=300, status=PaymentStatus.PARTIALLY_REFUNDED, balance="70")
    ours.refresh_from_db()
    assert (ours.status, ours.failed_at, ours.failure) == (RefundStatus.SUCCEEDED, None, "")


def test_credits_that_were_left_stay_and_what_is_refunded_beside_them_is_taken(paid):
    ours = asked_for(paid, policy=CreditPolicy.LEAVE)
    book_refund(payment_id=paid.pk, told=told(ours=ours.pk))
    assert stands(paid, refunded=300, status=PaymentStatus.PARTIALLY_REFUNDED, balance="100")
    book_refund(payment_id=paid.pk, told=told("re_2", 700))
    assert stands(paid, refunded=1000, status=PaymentStatus.REFUNDED, balance="30")


@pytest.mark.parametrize("number", [0, 10**17])
def test_a_number_that_is_no_row_of_ours_makes_a_row_of_stripes(paid, number):
    book_refund(payment_id=paid.pk, told=told(ours=number))
    assert Refund.objects.get().actor is None


def test_a_row_of_another_payment_is_not_taken(paid, customer):
    other = book_payment(
        purchase=Purchase(
            user_id=customer.pk,
            stripe_payment_id="pi_2",
            amount_minor=500,
            currency="USD",
            credits=Decimal(50),
            details=PaymentDetails(paid_at=NOON),
        )
    )
    ours = asked_for(other)
    book_refund(payment_id=paid.pk, told=told(ours=ours.pk))
    assert Refund.objects.filter(payment=paid).count() == 1
    with pytest.raises(Parked, match=f"booked for payment {paid.pk}"):
        book_refund(payment_id=other.pk, told=told())


def test_a_refund_in_another_currency_is_not_booked(paid):
    with pytest.raises(Parked, match="EUR"):
        book_refund(payment_id=paid.pk, told=told(currency="EUR"))
    assert not Refund.objects.exists()


def test_a_refund_of_more_than_was_paid_is_not_booked(paid):
    with pytest.raises(Parked, match=rf"\$10.01, and payment {paid.pk} of \$10.00"):
        book_refund(payment_id=paid.pk, told=told(amount=1001))
    assert not Refund.objects.exists()


def test_refunds_of_more_than_was_paid_give_back_no_more_until_it_is_told_which_failed(paid):
    book_refund(payment_id=paid.pk, told=told("re_1", 1000))
    book_refund(payment_id=paid.pk, told=told("re_2", 400))
    assert stands(paid, refunded=1000, status=PaymentStatus.REFUNDED, balance="0")
    book_refund(payment_id=paid.pk, told=told("re_1", 1000, status=RefundStatus.FAILED, minutes=5))
    assert stands(paid, refunded=400, status=PaymentStatus.PARTIALLY_REFUNDED, balance="60")


def charge_said(payment, refunded, *, minutes):
    Payment.objects.filter(pk=payment.pk).update(
        charge_refunded_minor=refunded,
        charge_as_of=NOON + timedelta(minutes=minutes),
        charge_refunded_at=NOON + timedelta(minutes=minutes),
    )


def test_what_the_charge_says_counts_where_no_refund_was_told(paid):
    charge_said(paid, 600, minutes=2)
    settle_money_back(payment_id=paid.pk)
    assert stands(paid, refunded=600, status=PaymentStatus.PARTIALLY_REFUNDED, balance="40")
    book_refund(payment_id=paid.pk, told=told())
    assert stands(paid, refunded=600, status=PaymentStatus.PARTIALLY_REFUNDED, balance="40")


@pytest.mark.parametrize(("said_at", "refunded"), [(2, 300), (5, 300), (6, 600)])
def test_a_refund_that_failed_since_the_charge_spoke_is_no_more_in_its_sum(paid, said_at, refunded):
    charge_said(paid, 600, minutes=said_at)
    book_refund(payment_id=paid.pk, told=told(status=RefundStatus.FAILED, minutes=5))
    paid.refresh_from_db()
    assert paid.refunded_minor == refunded


def test_one_that_leaves_the_credits_takes_none_when_its_charge_speaks_first(paid):
    asked_for(paid, policy=CreditPolicy.LEAVE)
    charge_said(paid, 300, minutes=2)
    settle_money_back(payment_id=paid.pk)
    assert stands(paid, refunded=300, status=PaymentStatus.PARTIALLY_REFUNDED, balance="100")
    assert out_of_balance() == []
    # What the charge tells beyond it is somebody else's, and takes its share.
    charge_said(paid, 500, minutes=3)
    settle_money_back(payment_id=paid.pk)
    assert stands(paid, refunded=500, status=PaymentStatus.PARTIALLY_REFUNDED, balance="80")
    assert out_of_balance() == []


def test_one_that_was_to_leave_the_credits_and_failed_explains_nothing(paid):
    asked_for(paid, policy=CreditPolicy.LEAVE, status=RefundStatus.FAILED, next_attempt_at=None)
    charge_said(paid, 300, minutes=2)
    settle_money_back(payment_id=paid.pk)
    assert stands(paid, refunded=300, status=PaymentStatus.PARTIALLY_REFUNDED, balance="70")
    assert out_of_balance() == []
