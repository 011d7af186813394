"""The feed: every event once, in an order that never changes, whatever commits late."""

import hashlib
import hmac
import json

import pytest
from django.db import transaction

from backoffice.lib import clock
from jobs import services
from jobs.models import Channel, OutboxMessage
from tests.api import Program, code_of, key
from tests.threads import at_once

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-the-product"


@pytest.fixture
def program(settings):
    settings.PRODUCT_WEBHOOK_SECRETS = [SECRET]
    return Program(key())


def written(name, **values):
    told = {"channel": Channel.WEBHOOK, "topic": "user.banned", "payload": {"user": name}, **values}
    return services.enqueue(key=name, **told)


def fetch(program, **query):
    response = program.get("webhooks/events?" + "&".join(f"{name}={value}" for name, value in query.items()))
    assert response.status_code == 200, response.content
    return response.json()


def names(answer):
    return [json.loads(event["body"])["data"]["user"] for event in answer["events"]]


def test_events_come_in_pages_with_the_body_and_the_signature_of_the_webhook(program):
    for number in range(5):
        written(f"u_{number} ü")
    first = fetch(program, limit=2)
    second = fetch(program, limit=2, after=first["next_after"])
    third = fetch(program, limit=2, after=second["next_after"])
    assert names(first) + names(second) + names(third) == [f"u_{number} ü" for number in range(5)]
    assert fetch(program, after=third["next_after"]) == {"events": [], "next_after": third["next_after"]}
    event = first["events"][0]
    stamp, _, digest = event["signature"].removeprefix("t=").partition(",v1=")
    assert hmac.new(SECRET.encode(), f"{stamp}.{event['body']}".encode(), hashlib.sha256).hexdigest() == digest
    assert json.loads(event["body"])["id"] == event["id"]


def test_an_empty_feed_has_nowhere_to_go_on_from(program):
    assert fetch(program) == {"events": [], "next_after": None}


def test_whoever_asks_again_is_told_again(program):
    written("a")
    assert names(fetch(program)) == names(fetch(program)) == ["a"]


def test_mail_and_slack_are_none_of_the_products_business(program):
    written("a")
    mail = written("b", channel=Channel.MAIL, recipient="ada@example.com")
    written("c", channel=Channel.SLACK)
    assert names(fetch(program)) == ["a"]
    assert code_of(program.get(f"webhooks/events?after={mail.pk}")) == "unknown_event"


def test_what_is_removed_for_its_age_is_left_out_and_still_a_place_to_go_on_from(program):
    old = written("old")
    written("new")
    fetch(program)
    OutboxMessage.objects.filter(pk=old.pk).update(forgotten_at=clock.now(), payload={})
    assert names(fetch(program)) == ["new"]
    assert names(fetch(program, after=old.pk)) == ["new"]


@pytest.mark.parametrize("query", ["after=0", "after=x", "after=99999999999999999999", "limit=0", "limit=1001"])
def test_an_odd_question_is_refused(program, query):
    assert program.get(f"webhooks/events?{query}").status_code == 422


def test_an_unknown_event_is_told_to_begin_anew(program):
    response = program.get("webhooks/events?after=12345")
    assert response.status_code == 404
    assert code_of(response) == "unknown_event"
    assert Program(None).get("webhooks/events").status_code == 401
    assert Program(key("read")).get("webhooks/events").status_code == 403


def test_fetching_costs_the_same_however_much_there_is(program, django_assert_num_queries):
    for number in range(30):
        written(f"u_{number}")
    last = fetch(program)["next_after"]
    with django_assert_num_queries(4):
        fetch(program, after=last, limit=100)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_after_a_later_one_was_read_is_not_missed(program):
    done = []

    def read_meanwhile():
        written("second")
        done.append(fetch(program))

    with transaction.atomic():
        first = written("first")
        at_once([read_meanwhile])
    [seen] = done
    assert names(seen) == ["second"]
    late = fetch(program, after=seen["next_after"])
    assert names(late) == ["first"]
    assert late["next_after"] == first.pk < seen["next_after"]
    assert names(fetch(program)) == ["second", "first"]


@pytest.mark.django_db(transaction=True)
def test_readers_and_writers_at_once_agree_on_one_order():
    def write(number):
        for turn in range(10):
            written(f"{number}-{turn}")

    def read(_):
        seen, after = [], None
        for _ in range(40):
            page = services.events_after(after=after, limit=7)
            seen += [message.key for message in page]
            after = page[-1].pk if page else after
        return seen

    calls = [lambda number=number: write(number) for number in range(3)] + [lambda: read(0)] * 3
    results = at_once(calls)
    assert results[:3] == [None] * 3
    whole = [message.key for message in services.events_after(after=None, limit=100)]
    assert len(whole) == len(set(whole)) == 30
    for seen in results[3:]:
        assert seen == whole[: len(seen)]
