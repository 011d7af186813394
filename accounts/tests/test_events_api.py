"""``events``: acts of customers and visitors, many at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import ActivityEvent
from backoffice.lib import clock
from tests.api import Program, code_of, key
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

AT = "2026-03-01T12:00:00Z"


@pytest.fixture
def product():
    return Program(key())


@pytest.fixture
def ada():
    return CustomerFactory(external_id="u_ada")


def event(event_id="e1", **more):
    return {"event_id": event_id, "action": "visit", "at": AT, "user": "u_ada"} | more


def results_of(response):
    assert response.status_code == 200, response.content
    results = response.json()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return [result["error"]["code"] if result["error"] else result["status"] for result in results]


def test_an_act_is_kept_with_all_that_was_told(product, ada):
    told = event(ip="2001:db8::1", user_agent="Browser", details={"page": {"n": [1, "ü"]}}, visitor_id="vis")
    assert results_of(product.post("events", {"events": [told]})) == ["created"]
    kept = ActivityEvent.objects.get()
    assert (kept.user_id, kept.action, kept.at) == (ada.pk, "visit", datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert (kept.ip, kept.user_agent, kept.details) == ("2001:db8::1", "Browser", {"page": {"n": [1, "ü"]}})
    ada.refresh_from_db()
    assert ada.last_active_at == kept.at


def test_each_item_is_judged_by_itself(product, ada):
    StaffFactory(external_id="u_staff")
    items = [
        event("a"),
        event("b", user="nobody"),
        event("c", user="u_staff"),
        event("a", action="other"),
        event("d", user=None),
        event("e", user=None, visitor_id="vis"),
        event("f", ip="here"),
        event("g", at="yesterday"),
        "no object",
        event("h", unknown=1),
    ]
    assert results_of(product.post("events", {"events": items})) == [
        "created",
        "unknown_user",
        "unknown_user",
        "replayed",
        "user_missing",
        "created",
        "invalid_ip",
        "invalid_time",
        "validation_error",
        "validation_error",
    ]
    assert set(ActivityEvent.objects.values_list("event_id", "action")) == {("a", "visit"), ("e", "visit")}


def test_an_id_told_again_is_replayed_and_the_first_stands(product, ada):
    product.post("events", {"events": [event()]})
    assert results_of(product.post("events", {"events": [event(action="login"), event("e2")]})) == [
        "replayed",
        "created",
    ]
    assert ActivityEvent.objects.get(event_id="e1").action == "visit"


def test_an_id_whose_first_item_was_rejected_is_kept_from_the_next(product, ada):
    assert results_of(product.post("events", {"events": [event(user="nobody"), event()]})) == [
        "unknown_user",
        "created",
    ]


def test_details_are_bounded_in_size_and_depth(product, ada):
    deep = {}
    for _ in range(8):
        deep = {"in": deep}
    fits = {"x": "y" * 8000}
    large = {"x": "ü" * 4096}
    response = product.post(
        "events", {"events": [event("a", details=fits), event("b", details=large), event("c", details=deep)]}
    )
    assert results_of(response) == ["created", "details_too_large", "details_too_deep"]


def test_a_signup_told_beside_the_customer_is_no_second_one(product):
    product.put("users/u_new", {"email": "new@example.com"})
    assert results_of(product.post("events", {"events": [event(user="u_new", action="signup")]})) == ["replayed"]
    assert ActivityEvent.objects.filter(action="signup").count() == 1


def test_visits_that_come_after_the_signup_and_happened_before_it_are_the_customers(product):
    product.put("users/u_new", {"email": "new@example.com", "visitor_id": "vis", "created_at": AT})
    late = event("late", user=None, visitor_id="vis", at="2026-03-01T11:00:00Z")
    after = event("after", user=None, visitor_id="vis", at="2026-03-01T13:00:00Z")
    assert results_of(product.post("events", {"events": [late, after]})) == ["created", "created"]
    owners = dict(ActivityEvent.objects.exclude(action="signup").values_list("event_id", "user__external_id"))
    assert owners == {"late": "u_new", "after": None}


@pytest.mark.parametrize("body", [{}, [], None, {"events": {}}, {"events": None}, {"events": [], "more": 1}, "events"])
def test_what_is_no_batch_is_refused_whole(product, body):
    response = product.post("events", body)
    assert (response.status_code, code_of(response)) == (422, "validation_error")


def test_a_batch_has_at_most_5000_items(product):
    assert product.post("events", {"events": [0] * 5001}).status_code == 422
    assert set(results_of(product.post("events", {"events": [0] * 5000}))) == {"validation_error"}


def test_an_empty_batch_is_no_fault(product):
    assert results_of(product.post("events", {"events": []})) == []


def test_the_number_of_queries_does_not_follow_the_number_of_events(product, ada, django_assert_num_queries):
    people = [ada, *CustomerFactory.create_batch(20)]
    product.get("users/warm-up")
    for size, name in ((1, "a"), (20, "b")):
        events = [event(f"{name}{n}", user=people[n].external_id) for n in range(size)]
        events += [event(f"{name}v{n}", user=None, visitor_id=f"v{n}") for n in range(size)]
        # The key; customers, visitors, the insert and who was active, in two nested savepoints.
        with django_assert_num_queries(9):
            product.post("events", {"events": events})


def test_a_clock_that_runs_ahead_a_little_is_borne(product, ada):
    ahead = (clock.now() + timedelta(hours=1)).isoformat()
    days = (clock.now() + timedelta(days=2)).isoformat()
    assert results_of(product.post("events", {"events": [event("a", at=ahead), event("b", at=days)]})) == [
        "created",
        "invalid_time",
    ]


@pytest.mark.django_db(transaction=True)
def test_batches_that_share_ids_at_once_keep_each_once():
    CustomerFactory(external_id="u_ada")
    secret = key()
    ids = [f"e{n}" for n in range(40)]
    batches = [{"events": [event(name) for name in (ids if n % 2 else ids[::-1])]} for n in range(8)]
    answers = at_once([lambda batch=batch: Program(secret).post("events", batch) for batch in batches])
    states = [state for answer in answers for state in results_of(answer)]
    assert (states.count("created"), states.count("replayed")) == (40, 280)
    assert ActivityEvent.objects.count() == 40
