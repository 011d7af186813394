"""What customers did, kept many at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts import services
from accounts.models import ActivityEvent
from tests.factories import CustomerFactory

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def act(event_id: str, at: datetime = NOW, user_id: int | None = None) -> services.Activity:
    return services.Activity(event_id=event_id, action="visit", user_id=user_id, at=at)


def test_many_acts_take_as_many_statements_as_one(django_assert_num_queries):
    people = CustomerFactory.create_batch(10)
    # A savepoint around two statements.
    with django_assert_num_queries(4):
        services.record_activities(activities=[act(f"e{person.pk}", user_id=person.pk) for person in people])
    assert ActivityEvent.objects.count() == 10


def test_an_act_told_twice_is_kept_once():
    services.record_activities(activities=[act("a"), act("a")])
    services.record_activities(activities=[act("a", at=NOW + MINUTE), act("b")])
    assert list(ActivityEvent.objects.order_by("event_id").values_list("event_id", "at")) == [("a", NOW), ("b", NOW)]


def test_each_person_was_last_active_at_their_latest_act():
    one, other = CustomerFactory.create_batch(2)
    services.record_activities(
        activities=[act("a", NOW + MINUTE, one.pk), act("b", NOW, one.pk), act("c", NOW, other.pk), act("d", NOW)]
    )
    for person in (one, other):
        person.refresh_from_db()
    assert (one.last_active_at, other.last_active_at) == (NOW + MINUTE, NOW)


@pytest.mark.parametrize(("later", "moves"), [(5 * MINUTE, False), (6 * MINUTE, True), (-60 * MINUTE, False)])
def test_last_active_moves_at_most_every_five_minutes_and_never_back(later, moves):
    person = CustomerFactory(last_active_at=NOW)
    services.record_activities(activities=[act("a", NOW + later, person.pk)])
    person.refresh_from_db()
    assert person.last_active_at == (NOW + later if moves else NOW)
