"""What customers spent, in the currency of reports: each payment by the rate of its day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import CustomerFigures
from accounts.services import merge_customers
from backoffice.lib import clock
from backoffice.lib.proving import broken_rows
from billing import selectors, tasks
from billing.models import ExchangeRate, Payment, Refund
from billing.proving import SPENT
from billing.selectors.spend import spend_parameters
from billing.services.payments import PaymentDetails, Purchase, book_payment
from billing.services.settling import settle_money_back
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)


def pay(user, amount_minor, currency="EUR", at=DAY):
    return book_payment(
        purchase=Purchase(
            user_id=user.pk,
            stripe_payment_id=f"pi_{Payment.objects.count()}",
            amount_minor=amount_minor,
            currency=currency,
            credits=Decimal(10),
            details=PaymentDetails(paid_at=at),
        )
    )


def rate(base, worth, day="2026-03-01", quote="USD"):
    return ExchangeRate.objects.create(date=day, base=base, quote=quote, rate=worth)


def spend(user):
    return CustomerFigures.objects.get(pk=user.pk).spend_minor


def wrong():
    return list(broken_rows(SPENT, spend_parameters()))


@pytest.mark.parametrize(
    ("currency", "amount_minor", "worth", "spent"),
    [
        ("EUR", 1000, "1.1", 1100),
        ("JPY", 500, "0.0066", 330),  # 500 yen have no decimals.
        ("KWD", 1000, "3.25", 325),  # 1.000 dinar has three.
        ("EUR", 1, "1.5", 2),  # Half a cent goes up.
        ("USD", 700, "1", 700),
    ],
)
def test_a_payment_counts_by_its_rate_in_minor_units_of_both(currency, amount_minor, worth, spent):
    payer = CustomerFactory()
    if currency != "USD":
        rate(currency, worth)
    pay(payer, amount_minor, currency)
    assert spend(payer) == spent
    assert wrong() == []


def test_the_rate_is_the_latest_that_is_not_after_the_day_of_payment():
    payer = CustomerFactory()
    for day, worth in (("2026-03-01", "1.1"), ("2026-03-10", "1.2"), ("2026-03-11", "1.3")):
        rate("EUR", worth, day)
    pay(payer, 1000)
    assert spend(payer) == 1200


def test_the_day_of_payment_is_that_of_the_reports(settings):
    settings.REPORTING_TIME_ZONE = "Asia/Tokyo"
    payer = CustomerFactory()
    rate("EUR", "1.1", "2026-03-10")
    rate("EUR", "1.2", "2026-03-11")
    pay(payer, 1000, at=datetime(2026, 3, 10, 15, 30, tzinfo=UTC))
    assert spend(payer) == 1200


def test_a_rate_that_was_entered_the_other_way_round_is_turned_and_one_as_asked_goes_first():
    payer = CustomerFactory()
    rate("USD", "0.5", quote="EUR")
    pay(payer, 1000)
    assert spend(payer) == 2000
    rate("EUR", "1.9")
    assert selectors.spend_of([payer.pk]) == 1900


def test_what_has_no_rate_is_told_by_itself():
    payer = CustomerFactory()
    pay(payer, 1000, "USD")
    pay(payer, 500, "GBP")
    rate("GBP", "1.3", "2026-03-11")
    assert spend(payer) == 1000
    assert selectors.spend_without_rate([payer.pk]) == [("GBP", 500)]
    assert wrong() == []


def test_what_went_back_is_not_spent():
    payer = CustomerFactory()
    rate("EUR", "1.1")
    payment = pay(payer, 1000)
    Refund.objects.create(
        payment=payment, stripe_refund_id="re_1", amount_minor=400, status="succeeded", refunded_at=DAY
    )
    settle_money_back(payment_id=payment.pk)
    assert spend(payer) == 660


def test_the_sum_is_rounded_once_also_over_customers_who_were_merged():
    payers = CustomerFactory.create_batch(2)
    rate("EUR", "1.4")
    for payer in payers:
        pay(payer, 1)
    merge_customers(survivor_id=payers[0].pk, merged_id=payers[1].pk, reason="Twice", actor=StaffFactory())
    assert (spend(payers[0]), spend(payers[1])) == (3, 0)
    assert wrong() == []


def test_a_rate_that_comes_late_is_followed_by_those_who_paid_in_it_alone():
    payer, other = CustomerFactory.create_batch(2)
    pay(payer, 1000)
    pay(other, 1000, "USD")
    late = rate("EUR", "1.1")
    assert [user_id for user_id, _ in wrong()] == [payer.pk]
    tasks.recount_after_new_rates()
    assert (spend(payer), spend(other)) == (1100, 1000)
    assert wrong() == []
    with clock.at(clock.now() + timedelta(hours=1)):
        late.delete()
        tasks.recount_after_new_rates()
        assert spend(payer) == 1100
        tasks.recount_spends()
    assert spend(payer) == 0
