"""Subscriptions as Stripe tells them: what is read, whose it is, and what stays when events come late."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from accounts import services as accounts
from accounts.models import User
from backoffice.lib import clock
from billing.models import EventState, Interval, Plan, StripeEvent, Subscription, SubscriptionChange
from billing.services.inbox import claim_due_events
from billing.services.processing import process_event
from billing.tests.bodies.subscriptions import (
    MONTH,
    START,
    V2025,
    VERSIONS,
    coupon,
    discount,
    discount_told,
    item,
    price,
    subscription,
    told,
)
from billing.tests.flow import deliver, post
from billing.tests.stripe_bodies import encoded
from billing.tests.stripe_bodies import event as told_event
from tests.factories import CustomerFactory
from tests.threads import at_once, wait_for_a_waiter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ada(customer):
    return customer


@pytest.fixture
def pro():
    return Plan.objects.create(key="pro", name="Pro", stripe_product_id="prod_pro")


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def row() -> Subscription:
    return Subscription.objects.get()


def changes() -> list[tuple[str, int, int]]:
    """Each change in Stripe's order: state, worth before, worth after."""
    return list(SubscriptionChange.objects.values_list("status", "mrr_minor_before", "mrr_minor_after"))


def after_the_wait() -> list[str]:
    """The states of events that came at START, once the sweep has taken up what waited for a customer."""
    with clock.at(moment(START) + timedelta(minutes=15)):
        for event_id in claim_due_events(limit=10):
            process_event(event_id=event_id)
    return list(StripeEvent.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_subscription_is_the_same_in_every_version(version, customer, pro):
    of = discount(coupon(), version, id="di_quarter", subscription="sub_1", end=None)
    shown = ["di_quarter"] if version == V2025 else [of]
    subject = subscription(
        item(price(), 2),
        item(price(12_000, id="price_year", product="prod_seat", interval="year"), 3),
        version=version,
        id="sub_1",
        discounts=shown,
        trial_start=START - MONTH,
        trial_end=START,
        cancel_at_period_end=True,
        cancel_at=START + MONTH,
    )
    deliver(
        told_event("coupon.created", coupon(), created=START - 900),
        *([discount_told("created", of, at=START - 1, version=version)] if version == V2025 else []),
    )
    (stored,) = deliver(told("created", subject, version=version))
    assert (stored.state, stored.error) == (EventState.PROCESSED, "")
    found = row()
    assert (found.user_id, found.status, found.plan, found.currency) == (customer.pk, "active", pro, "USD")
    assert found.stripe_customer_id == "cus_ada"
    assert (found.current_period_start, found.current_period_end) == (moment(START), moment(START + MONTH))
    assert (found.trial_start, found.trial_end) == (moment(START - MONTH), moment(START))
    assert (found.cancel_at_period_end, found.cancel_at, found.ended_at) == (True, moment(START + MONTH), None)
    assert [(one.stripe_price_id, one.quantity, one.interval, one.mrr_minor) for one in found.items.all()] == [
        ("price_pro", 2, Interval.MONTH, 4000),
        ("price_year", 3, Interval.YEAR, 3000),
    ]
    assert found.mrr_minor == 5250
    assert [(kept["id"], kept["percent_off"], kept["ends"]) for kept in found.discounts] == [("di_quarter", "25", None)]
    assert changes() == [("active", 0, 5250)]
    customer.refresh_from_db()
    assert (customer.plan, customer.stripe_customer_id) == ("pro", "cus_ada")


def test_what_is_cancelled_stays_so_whatever_comes_late(customer, pro):
    subject = subscription(id="sub_1")
    over = subject | {"status": "canceled", "ended_at": START + 50, "canceled_at": START + 50}
    deliver(
        told("deleted", over, at=START + 50),
        told("created", subject, at=START),
        told("updated", subject | {"metadata": {"user_id": "u_ada", "seen": "1"}}, at=START + 20),
        told("updated", subject | {"metadata": {"user_id": "u_ada", "seen": "2"}}, at=START + 60),
    )
    assert (row().status, row().mrr_minor, row().ended_at) == ("canceled", 0, moment(START + 50))
    assert changes() == [("active", 0, 2000), ("active", 2000, 2000), ("canceled", 2000, 0), ("canceled", 0, 0)]
    customer.refresh_from_db()
    assert customer.plan == ""


def test_the_last_word_counts_and_not_the_last_to_come():
    subject = subscription(id="sub_1")
    more = subject | {"items": {**subject["items"], "data": [item(price(), 3)]}}
    deliver(told("updated", more, at=START + 40), told("created", subject, at=START))
    assert row().mrr_minor == 6000
    assert changes() == [("active", 0, 2000), ("active", 2000, 6000)]


def test_two_words_of_one_second_are_ordered_by_what_each_found(customer):
    def with_quantity(quantity):
        return subscription(item(price(), quantity), id="sub_1")

    two = told("updated", with_quantity(2), at=START + 5, previous={"items": {"data": [item(price(), 1)]}})
    three = told("updated", with_quantity(3), at=START + 5, previous={"items": {"data": [item(price(), 2)]}})
    for each, before in ((two, 1), (three, 2)):
        each["data"]["previous_attributes"] = {
            "items": {"data": [one | {"subscription": "sub_1", "quantity": before} | periods() for one in [item()]]}
        }
    deliver(three, told("created", with_quantity(1), at=START), two)
    assert row().mrr_minor == 6000
    assert changes() == [("active", 0, 2000), ("active", 2000, 4000), ("active", 4000, 6000)]


def periods() -> dict:
    return {"current_period_start": START, "current_period_end": START + MONTH}


def test_a_second_that_contradicts_itself_is_parked_and_not_guessed():
    cheap, dear = (subscription(item(price(amount)), id="sub_1") for amount in (1000, 3000))
    _, stored = deliver(told("updated", cheap, at=START), told("updated", dear, at=START))
    assert stored.state == EventState.PARKED
    assert "contradict each other about sub_1" in stored.error
    # A later word settles it.
    deliver(told("updated", cheap, at=START + 9))
    stored.refresh_from_db()
    assert (stored.state, row().mrr_minor) == (EventState.PROCESSED, 1000)


def test_a_customer_whom_nobody_knows_waits_and_is_then_parked():
    (stored,) = deliver(told("created", subscription(metadata={}, customer="cus_new")))
    assert (stored.state, stored.next_attempt_at) == (EventState.RECEIVED, stored.received_at + timedelta(minutes=15))
    with clock.at(stored.next_attempt_at):
        for event_id in claim_due_events(limit=5):
            process_event(event_id=event_id)
    stored.refresh_from_db()
    assert stored.state == EventState.PARKED
    assert "Nobody here is Stripe's customer cus_new" in stored.error
    assert not Subscription.objects.exists()


def test_stripes_customer_says_whose_it_is_where_no_metadata_does(customer):
    User.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    deliver(told("created", subscription(metadata={})))
    assert row().user_id == customer.pk


@pytest.mark.parametrize("metadata", [{"user_id": "u_nobody"}, {"user_id": "u_ada", "userId": "u_bob"}])
def test_metadata_that_names_nobody_or_two_is_parked(customer, metadata):
    User.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    with clock.at(moment(START)):
        deliver(told("created", subscription(metadata=metadata)))
    assert after_the_wait() == [EventState.PARKED]
    assert not Subscription.objects.exists()


def test_a_user_whom_the_product_tells_of_a_minute_later_is_waited_for():
    with clock.at(moment(START)):
        (stored,) = deliver(told("created", subscription(metadata={"user_id": "u_late"})))
    assert (stored.state, "u_late" in stored.error) == (EventState.RECEIVED, True)
    late = CustomerFactory(external_id="u_late")
    assert after_the_wait() == [EventState.PROCESSED]
    assert row().user_id == late.pk


def test_metadata_that_comes_to_name_a_user_who_is_not_told_of_waits_then_parks(customer):
    with clock.at(moment(START)):
        deliver(told("created", subscription(id="sub_1")))
        renamed = subscription(id="sub_1", metadata={"user_id": "u_late"})
        (stored,) = deliver(told("updated", renamed, at=START + 5))
    assert stored.state == EventState.RECEIVED
    assert after_the_wait() == [EventState.PROCESSED, EventState.PARKED]
    assert row().user_id == customer.pk


def test_metadata_that_comes_to_name_somebody_else_is_parked(customer):
    CustomerFactory(external_id="u_bob")
    subject = subscription(id="sub_1")
    deliver(told("created", subject))
    (stored,) = deliver(told("updated", subject | {"metadata": {"user_id": "u_bob"}}, at=START + 9))
    assert stored.state == EventState.PARKED
    assert row().user_id == customer.pk


@pytest.mark.parametrize("damage", [{"status": "dancing"}, {"currency": 7, "items": None, "plan": None}])
def test_what_cannot_be_read_is_parked_with_what_to_do(damage):
    (stored,) = deliver(told("created", subscription() | damage))
    assert stored.state == EventState.PARKED
    assert "Look it up in Stripe" in stored.error


@pytest.mark.parametrize("status", ["trialing", "active", "unpaid", "paused"])
def test_more_a_month_than_can_be_kept_is_parked_in_every_state(status):
    too_much = item(price(10**10), quantity=10**12)
    (stored,) = deliver(told("created", subscription(too_much, status=status)))
    assert stored.state == EventState.PARKED, stored.error
    assert "no amount that can be kept" in stored.error


@pytest.mark.django_db(transaction=True)
def test_a_subscription_locks_whose_it_is_before_its_row(customer):
    subject = subscription(item())
    deliver(told("created", subject))
    body = told("deleted", subject | {"status": "canceled"}, at=START + 9)
    post(encoded(body))
    stored = StripeEvent.objects.get(stripe_id=body["id"])
    locked = threading.Event()

    def change_person_and_subscription():
        with transaction.atomic():
            accounts.lock_customers([customer.pk])
            locked.set()
            wait_for_a_waiter()
            Subscription.objects.update(updated_at=clock.now())

    def process():
        assert locked.wait(30)
        process_event(event_id=stored.pk)

    assert at_once([change_person_and_subscription, process]) == [None, None]
    stored.refresh_from_db()
    assert (stored.state, row().status) == (EventState.PROCESSED, "canceled"), stored.error


def test_what_is_damaged_in_its_parts_is_read_as_far_as_it_goes():
    subject = subscription() | {"items": {"data": ["x", {"price": {"unit_amount": "NaN", "recurring": []}}]}}
    deliver(told("created", subject | {"discounts": [None, 3, {}], "pause_collection": "soon", "trial_end": "never"}))
    assert (row().mrr_minor, row().items.count(), row().trial_end) == (0, 1, None)


def test_a_discount_of_a_customer_counts_for_all_their_subscriptions_that_have_none(customer):
    deliver(told("created", subscription(id="sub_1")), told("created", subscription(id="sub_2")))
    of = discount(version="2024-06-20", id="di_all")
    deliver(discount_told("created", of, at=START + 10))
    assert list(Subscription.objects.values_list("mrr_minor", flat=True)) == [1500, 1500]
    deliver(told("created", subscription(id="sub_3"), at=START + 20))
    assert Subscription.objects.get(stripe_subscription_id="sub_3").mrr_minor == 1500
    deliver(discount_told("deleted", of, at=START + 30))
    assert list(Subscription.objects.values_list("mrr_minor", flat=True)) == [2000, 2000, 2000]


def test_a_discount_of_a_customer_that_replaces_another_within_a_second_stays():
    deliver(told("created", subscription(id="sub_1")))
    tenth, half = (
        discount(coupon(id=key, percent_off=percent), "2024-06-20", id=f"di_{key}")
        for key, percent in (("tenth", 10), ("half", 50))
    )
    deliver(
        discount_told("created", tenth, at=START + 10),
        discount_told("deleted", tenth, at=START + 20),
        discount_told("created", half, at=START + 20),
    )
    assert row().mrr_minor == 1000
    deliver(discount_told("deleted", half, at=START + 30))
    assert row().mrr_minor == 2000


def test_a_discount_of_a_subscription_is_counted_from_its_own_event_on(customer):
    deliver(told("created", subscription(id="sub_1")))
    of = discount(version="2024-06-20", id="di_1", subscription="sub_1")
    deliver(discount_told("created", of, at=START + 10))
    assert row().mrr_minor == 1500
    deliver(discount_told("deleted", of, at=START + 20))
    assert changes() == [("active", 0, 2000), ("active", 2000, 1500), ("active", 1500, 2000)]


def test_a_discount_whose_terms_nobody_told_waits_and_is_made_good():
    (stored,) = deliver(told("created", subscription(id="sub_1", discounts=["di_1"])))
    assert stored.state == EventState.RECEIVED
    assert "di_1" in stored.error
    deliver(discount_told("created", discount(version="2024-06-20", id="di_1", subscription="sub_1"), at=START))
    assert row().mrr_minor == 1500
    stored.refresh_from_db()
    assert stored.state == EventState.PROCESSED


def test_the_terms_of_a_discount_outlive_the_events_that_told_them(customer):
    of = discount(version="2024-06-20", id="di_1", subscription="sub_1")
    deliver(discount_told("created", of, at=START - 1), told("created", subscription(id="sub_1", discounts=["di_1"])))
    StripeEvent.objects.update(body=b"", payload=None)
    (stored,) = deliver(told("updated", subscription(id="sub_1", discounts=["di_1"]), at=START + MONTH))
    assert (stored.state, stored.error) == (EventState.PROCESSED, "")
    assert changes() == [("active", 0, 1500), ("active", 1500, 1500)]


def test_what_is_fetched_is_placed_where_it_happened(customer):
    subject = subscription(id="sub_1")
    fetched = START + 90 * 86_400
    over = told("deleted", subject | {"status": "canceled", "ended_at": START + MONTH}, at=fetched)
    deliver(told("created", subject))
    StripeEvent.objects.filter(stripe_id=deliver(over)[0].stripe_id)
    assert SubscriptionChange.objects.latest("at").at == moment(fetched)


def test_the_plan_beside_the_customer_follows_and_goes_with_the_last_subscription(customer, pro):
    Plan.objects.create(key="team", name="Team", stripe_product_id="prod_team")
    team = price(id="price_team", product="prod_team")
    first, second = subscription(id="sub_1"), subscription(item(team), id="sub_2", start_date=START + 100)
    deliver(told("created", first), told("created", second, at=START + 100))
    assert plan_of(customer) == "team"
    deliver(told("deleted", second | {"status": "canceled"}, at=START + 200))
    assert plan_of(customer) == "pro"
    deliver(told("deleted", first | {"status": "canceled"}, at=START + 300))
    assert plan_of(customer) == ""


def test_a_plan_that_no_subscription_set_stays(customer, pro):
    deliver(told("created", subscription(id="sub_1")))
    User.objects.filter(pk=customer.pk).update(plan="gift")
    deliver(told("deleted", subscription(id="sub_1", status="canceled"), at=START + 300))
    assert plan_of(customer) == "gift"


def plan_of(customer) -> str:
    return User.objects.values_list("plan", flat=True).get(pk=customer.pk)
