"""What came in, what went back and what Stripe kept: each amount on the day of its own act, in its own currency."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from accounts.services import merge_customers
from backoffice.lib.periods import Period, days, month
from billing import selectors
from billing.models import Dispute, ExchangeRate, Payment, Refund
from billing.selectors import DayRevenue, Revenue
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MARCH, APRIL = month(2026, 3), month(2026, 4)
_numbers = count(1)


def paid(customer, amount=1000, *, after=0, currency="USD", status="succeeded", **fields):
    return Payment.objects.create(
        user=customer,
        stripe_payment_id=f"pi_{next(_numbers)}",
        amount_minor=amount,
        currency=currency,
        status=status,
        paid_at=NOON + after * DAY,
        **fields,
    )


def fee(minor):
    """What Stripe kept, as it told of it in dollars."""
    return {"fee_minor": minor, "net_minor": 900, "settlement_currency": "USD"}


def refunded(payment, amount, *, after, status="succeeded"):
    return Refund.objects.create(
        payment=payment,
        stripe_refund_id=f"re_{next(_numbers)}",
        amount_minor=amount,
        status=status,
        refunded_at=NOON + after * DAY,
    )


def disputed(payment, amount, *, status, opened=1, closed=None, **fields):
    return Dispute.objects.create(
        payment=payment,
        stripe_dispute_id=f"dp_{next(_numbers)}",
        amount_minor=amount,
        status=status,
        opened_at=NOON + opened * DAY,
        closed_at=NOON + closed * DAY if closed else None,
        **fields,
    )


def usd(**amounts):
    return Revenue(currency="USD", **amounts)


def test_each_amount_counts_in_the_month_of_its_own_act(customer):
    payment = paid(customer, **fee(59))
    refunded(payment, 200, after=31)
    disputed(payment, 500, status="lost", opened=2, closed=40, fee_minor=1500, fee_currency="USD")
    assert selectors.revenue(MARCH) == [usd(payments=1, gross_minor=1000, fees_minor=1559)]
    assert selectors.revenue(APRIL) == [usd(refunds_minor=200, lost_disputes_minor=500)]


def test_net_is_gross_less_refunds_lost_disputes_and_fees():
    assert usd(gross_minor=1000, refunds_minor=200, lost_disputes_minor=300, fees_minor=59).net_minor == 441


@pytest.mark.parametrize("status", ["pending", "failed", "canceled"])
def test_what_was_not_paid_is_no_revenue(customer, status):
    paid(customer, status=status)
    assert selectors.revenue(MARCH) == []


@pytest.mark.parametrize("status", ["refunded", "partially_refunded", "disputed"])
def test_gross_is_what_was_paid_whatever_became_of_it(customer, status):
    paid(customer, status=status)
    assert selectors.revenue(MARCH)[0].gross_minor == 1000


@pytest.mark.parametrize("status", ["pending", "requires_action", "failed", "canceled"])
def test_a_refund_that_has_not_succeeded_lowers_nothing(customer, status):
    refunded(paid(customer), 300, after=1, status=status)
    assert selectors.revenue(MARCH)[0].refunds_minor == 0


@pytest.mark.parametrize("status", ["needs_response", "under_review", "won", "warning_closed", "prevented"])
def test_a_dispute_that_is_not_lost_lowers_nothing_but_its_fee(customer, status):
    disputed(paid(customer), 1000, status=status, fee_minor=1500, fee_currency="USD")
    (found,) = selectors.revenue(MARCH)
    assert (found.lost_disputes_minor, found.fees_minor) == (0, 1500)


def test_what_went_back_by_the_charge_alone_counts_once_beside_the_refunds_that_are_known(customer):
    payment = paid(customer, refunded_minor=700, charge_refunded_minor=700, charge_refunded_at=NOON + 2 * DAY)
    refunded(payment, 300, after=1)
    refunded(payment, 100, after=1, status="pending")
    assert selectors.revenue(MARCH)[0].refunds_minor == 300 + (700 - 300 - 100)


def test_a_refund_that_was_only_asked_for_hides_nothing_of_what_the_charge_says_went_back(customer):
    payment = paid(customer, refunded_minor=300, charge_refunded_minor=300, charge_refunded_at=NOON + 2 * DAY)
    Refund.objects.create(
        payment=payment, amount_minor=300, actor=StaffFactory(), idempotency_key="asked", refunded_at=NOON + DAY
    )
    assert selectors.revenue(MARCH)[0].refunds_minor == 300


def test_fees_count_in_the_currency_that_stripe_settles_in_and_those_that_are_unknown_are_told(customer):
    paid(customer, 900, currency="EUR", **fee(61))
    paid(customer, 500, currency="EUR")
    assert selectors.revenue(MARCH) == [
        Revenue(currency="EUR", payments=2, gross_minor=1400, unknown_fees=1),
        usd(fees_minor=61),
    ]


def test_staff_and_customers_in_demo_mode_never_count(customer):
    paid(StaffFactory())
    paid(CustomerFactory(demo_mode=True))
    assert selectors.revenue_by_day(MARCH) == []


def test_a_period_takes_its_first_moment_and_not_its_last(customer):
    paid(customer)
    assert selectors.revenue(Period(NOON, NOON + DAY))
    assert selectors.revenue(Period(NOON - DAY, NOON)) == []


def test_a_day_begins_at_midnight_of_the_reports(customer, settings):
    settings.REPORTING_TIME_ZONE = "America/Los_Angeles"
    payment = paid(customer, unknown := 1)
    Payment.objects.filter(pk=payment.pk).update(paid_at=datetime(2026, 3, 2, 7, tzinfo=UTC))
    found = usd(payments=1, gross_minor=unknown, unknown_fees=1)
    assert selectors.revenue_by_day(days(date(2026, 3, 1), date(2026, 3, 1))) == [DayRevenue(date(2026, 3, 1), found)]
    assert selectors.revenue_by_day(days(date(2026, 3, 2), date(2026, 3, 2))) == []


def test_revenue_takes_one_query_for_any_number_of_days(customer, django_assert_num_queries):
    for day in range(5):
        refunded(paid(customer, after=day), 10, after=day)
    with django_assert_num_queries(1):
        assert len(selectors.revenue_by_day(MARCH)) == 5


def test_the_lifetime_value_is_of_all_time_and_of_whoever_was_merged_into_the_customer(customer):
    other, stranger = CustomerFactory.create_batch(2)
    paid(stranger)
    refunded(paid(customer, **fee(59)), 200, after=400)
    paid(other, 700, after=-4000, **fee(0))
    paid(other, 5000, currency="JPY", **fee(20))
    merge_customers(survivor_id=customer.pk, merged_id=other.pk, reason="same", actor=StaffFactory(is_superuser=True))
    assert selectors.lifetime_value(customer.pk) == [
        Revenue(currency="JPY", payments=1, gross_minor=5000),
        usd(payments=2, gross_minor=1700, refunds_minor=200, fees_minor=79),
    ]
    assert selectors.lifetime_value(CustomerFactory().pk) == []


def test_the_lifetime_value_is_below_zero_if_a_bank_took_what_was_refunded_already(customer):
    payment = paid(customer, **fee(59))
    refunded(payment, 300, after=1)
    disputed(payment, 1000, status="lost", closed=9)
    assert selectors.lifetime_value(customer.pk)[0].net_minor == 1000 - 300 - 1000 - 59


ON = date(2026, 3, 1)


def day(revenue, on=ON):
    return DayRevenue(on, revenue)


def rate(base, quote, worth, on=ON):
    ExchangeRate.objects.create(date=on, base=base, quote=quote, rate=Decimal(worth))


def test_other_currencies_count_by_the_rate_of_their_day():
    rate("EUR", "USD", "1.1")
    rate("EUR", "USD", "1.2", on=ON + 2 * DAY)
    euros = Revenue(currency="EUR", gross_minor=1000, refunds_minor=100, payments=2)
    reported = selectors.in_reporting_currency(
        [day(usd(gross_minor=50, payments=1)), day(euros), day(euros, ON + 3 * DAY)]
    )
    assert reported.revenue == usd(gross_minor=50 + 1100 + 1200, refunds_minor=110 + 120, payments=5)
    assert reported.unconverted == []


def test_currencies_with_other_decimals_count_by_what_they_are_worth_and_a_sum_is_rounded_once_half_even():
    rate("USD", "JPY", "160")
    rate("KWD", "USD", "3.25")
    yen = Revenue(currency="JPY", gross_minor=100)
    # 0.625 dollars each: by themselves they would be 62 cents and not 125 together.
    assert selectors.in_reporting_currency([day(yen), day(yen)]).revenue.gross_minor == 125
    dinar = Revenue(currency="KWD", gross_minor=1000)
    assert selectors.in_reporting_currency([day(dinar)]).revenue.gross_minor == 325


def test_what_has_no_rate_yet_is_left_out_of_the_sum_and_told():
    rate("EUR", "USD", "1.1", on=ON + DAY)
    early = Revenue(currency="EUR", gross_minor=1000, payments=1)
    reported = selectors.in_reporting_currency([day(early), day(early), day(early, ON + DAY)])
    assert reported.revenue == usd(gross_minor=1100, payments=1)
    assert reported.unconverted == [replace(early, gross_minor=2000, payments=2)]


def test_nothing_is_worth_nothing():
    assert selectors.in_reporting_currency([]) == selectors.Reported(usd(), [])


def test_converting_takes_one_query_for_any_number_of_days_and_currencies(django_assert_num_queries):
    for number in range(4):
        rate("EUR", "USD", "1.1", on=ON + number * DAY)
        rate("USD", "GBP", "0.8", on=ON + number * DAY)
    found = [
        day(Revenue(currency=currency, gross_minor=1), ON + number * DAY)
        for number in range(4)
        for currency in ("EUR", "GBP")
    ]
    with django_assert_num_queries(1):
        selectors.in_reporting_currency(found)
