"""What the product is told of customers: once for each change, also when the hook was lost."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import services as accounts
from accounts.models import StatusChange
from backoffice.lib import clock
from jobs import selectors, services, tasks
from jobs.models import MessageState, OutboxMessage
from jobs.services import Told, tell_product
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def told():
    return [(message.topic, message.payload) for message in OutboxMessage.objects.order_by("id")]


def test_each_change_of_status_is_told_with_what_it_was_and_until_when_and_not_why():
    customer, clerk = CustomerFactory(external_id="ours_7"), StaffFactory()
    until = clock.now() + timedelta(days=3)
    accounts.ban_customer(user_id=customer.pk, actor=clerk, reason="card fraud")
    accounts.unban_customer(user_id=customer.pk, actor=clerk, reason="a mistake")
    accounts.suspend_customer(user_id=customer.pk, actor=clerk, reason="spam", until=until)
    accounts.lift_suspension(user_id=customer.pk, actor=clerk, reason="said sorry")
    assert [topic for topic, _ in told()] == ["user.banned", "user.unbanned", "user.suspended", "user.reinstated"]
    changes = list(StatusChange.objects.order_by("id"))
    assert told()[2][1] == {
        "user": "ours_7",
        "status": "suspended",
        "previous_status": "active",
        "until": until.isoformat().replace("+00:00", "Z"),
        "at": changes[2].at.isoformat().replace("+00:00", "Z"),
    }
    assert "fraud" not in str(told())
    message = OutboxMessage.objects.first()
    assert (message.state, message.user_id) == (MessageState.PENDING, customer.pk)


def test_a_change_that_is_rolled_back_is_not_told():
    customer = CustomerFactory()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        accounts.ban_customer(user_id=customer.pk, actor=None, reason="x")
        1 / 0  # noqa: B018
    assert told() == []


def test_a_customer_whom_the_product_does_not_know_is_not_told_of():
    accounts.ban_customer(user_id=CustomerFactory(external_id=None).pk, actor=None, reason="x")
    tasks.tell_what_was_missed()
    assert told() == []


def test_a_change_whose_hook_was_lost_is_told_by_the_sweep_and_only_once(monkeypatch):
    customer = CustomerFactory()
    with monkeypatch.context() as lost:
        lost.setattr("backoffice.lib.hooks.transaction.on_commit", lambda handler: None)
        accounts.ban_customer(user_id=customer.pk, actor=None, reason="x")
    assert told() == []
    accounts.unban_customer(user_id=customer.pk, actor=None, reason="x")
    since = clock.now() - timedelta(days=1)
    assert [change.new for change in selectors.untold_status_changes(since=since)] == ["banned"]
    for _ in range(2):
        tasks.tell_what_was_missed()
    assert list(selectors.untold_status_changes(since=since)) == []
    assert sorted(topic for topic, _ in told()) == ["user.banned", "user.unbanned"]


def test_the_sweep_leaves_alone_what_is_long_past(monkeypatch):
    with clock.at(clock.now() - timedelta(days=5)):
        accounts.ban_customer(user_id=CustomerFactory().pk, actor=None, reason="x")
    OutboxMessage.objects.all().delete()
    tasks.tell_what_was_missed()
    assert told() == []


def test_hook_and_sweep_at_once_tell_it_once():
    accounts.ban_customer(user_id=CustomerFactory().pk, actor=None, reason="x")
    [change] = StatusChange.objects.all()
    for _ in range(3):
        OutboxMessage.objects.all().delete()
        calls = [lambda: services.tell_of_status_change(change.pk), lambda: tasks.tell_what_was_missed()] * 3
        assert at_once(calls) == [None] * 6
        assert len(told()) == 1


def test_many_told_at_once_cost_a_fixed_number_of_statements(django_assert_num_queries):
    user = CustomerFactory()
    events = [Told(key=f"k{n}", topic="t", data={"n": n}, user_id=user.pk) for n in range(100)]
    with django_assert_num_queries(3):
        tell_product(events)
    tell_product(events)
    assert OutboxMessage.objects.count() == 100


def test_what_the_sweep_cannot_hand_out_at_once_it_goes_on_with(monkeypatch):
    monkeypatch.setattr(tasks, "MESSAGES_AT_ONCE", 2)
    nudged = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: nudged.append((task.name.rpartition(".")[2], args)))
    user = CustomerFactory()
    tell_product([Told(key=f"k{n}", topic="t", data={}, user_id=user.pk) for n in range(3)])
    ids = list(OutboxMessage.objects.order_by("next_attempt_at", "id").values_list("pk", flat=True))
    tasks.sweep_outbox()
    assert [name for name, _ in nudged] == ["deliver_message", "deliver_message", "sweep_outbox"]
    tasks.sweep_outbox()
    assert sorted(args[0] for name, args in nudged if args) == ids


def ask_for_a_password(customer, key="test:1"):
    return accounts.request_password_reset(
        user_id=customer.pk, reason="locked out", actor=StaffFactory(), key=key, origin="http://testserver/"
    ).request


def test_the_product_is_asked_for_a_new_password_of_its_customer_and_told_nothing_else():
    request = ask_for_a_password(CustomerFactory(external_id="ours_7"))
    at = request.at.isoformat().replace("+00:00", "Z")
    assert told() == [("user.password_reset_requested", {"user": "ours_7", "at": at})]
    tasks.tell_what_was_missed()
    assert len(told()) == 1


def test_a_password_whose_hook_was_lost_is_asked_for_by_the_sweep_and_only_once(monkeypatch):
    with monkeypatch.context() as lost:
        lost.setattr("backoffice.lib.hooks.transaction.on_commit", lambda handler: None)
        ask_for_a_password(CustomerFactory())
    assert told() == []
    for _ in range(2):
        tasks.tell_what_was_missed()
    assert [topic for topic, _ in told()] == ["user.password_reset_requested"]


def test_a_customer_who_is_mailed_by_us_is_not_asked_for_by_the_product():
    customer = CustomerFactory()
    customer.set_password("an old password of theirs")
    customer.save()
    ask_for_a_password(customer)
    tasks.tell_what_was_missed()
    assert told() == []
