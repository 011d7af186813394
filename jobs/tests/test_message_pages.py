"""The outbox as staff read it: to whom and what is shown by permission; sending again is asked for and audited."""

from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import AuditEntry
from backoffice.lib import clock
from jobs import services
from jobs.models import Channel, Delivery, MessageState, OutboxMessage
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = "admin:jobs_outboxmessage_changelist"
SEE, READ, RETRY = "jobs.view_outboxmessage", "jobs.read_message", "jobs.retry_message"


def written(key="k", state=MessageState.DEAD, **values):
    told = {"channel": Channel.MAIL, "topic": "welcome", "recipient": "ada@example.com", "subject": "Hello <b>"}
    message = services.enqueue(key=key, **told | {"body": "The whole <script> text"} | values)
    OutboxMessage.objects.filter(pk=message.pk).update(state=state, last_error="550: <i>no</i>")
    Delivery.objects.create(message=message, ok=False, status_code=550, took_ms=1234, answer="<i>no</i> such user")
    Delivery.objects.create(message=message)
    return message


def page(client, url, *permissions):
    client.force_login(StaffFactory(permissions=permissions))
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def change(message):
    return reverse("admin:jobs_outboxmessage_change", args=[message.pk])


def again(message):
    return reverse("admin:jobs_outboxmessage_send_again", args=[message.pk])


def test_the_page_shows_every_attempt_and_what_was_answered_escaped(client):
    html = page(client, change(written()), SEE, READ)
    assert "&lt;i&gt;no&lt;/i&gt; such user" in html
    assert "Failed with 550 after 1,234 ms" in html
    assert "Under way, or its worker was lost" in html
    assert "The whole &lt;script&gt; text" in html
    assert "ada@example.com" in html


def test_without_the_permission_neither_the_recipient_nor_the_text_is_shown(client):
    message = written()
    for url in (change(message), reverse(LIST)):
        html = page(client, url, SEE)
        assert "ada@example.com" not in html
        assert "Hello" not in html
        assert "The whole" not in html
        assert "Given up" in html
    assert "ada@example.com" in page(client, reverse(LIST), SEE, READ)


def test_the_list_finds_a_message_by_number_and_by_its_customer(client):
    ada, bob = CustomerFactory(email="ada@example.com", external_id="ours_1"), CustomerFactory()
    mine = written("a", topic="for.ada", user_id=ada.pk)
    written("b", topic="for.bob", user_id=bob.pk)
    for term in (mine.pk, "ADA@example.com", "ours_1"):
        html = page(client, f"{reverse(LIST)}?q={term}", SEE)
        assert "for.ada" in html, term
        assert "for.bob" not in html, term
    assert "for.ada" not in page(client, f"{reverse(LIST)}?user__exact={bob.pk}", SEE)


def test_the_list_filters_by_state_channel_and_topic(client):
    written("a", topic="first.topic")
    services.enqueue(key="c", channel=Channel.WEBHOOK, topic="user.banned")
    for query, shown in [
        ("state__exact=dead", "first.topic<span"),
        ("channel__exact=mail", "first.topic<span"),
        ("topic=others", "first.topic<span"),
        ("topic=user.banned", "user.banned<span"),
        ("state__exact=pending", "user.banned<span"),
    ]:
        html = page(client, f"{reverse(LIST)}?{query}", SEE)
        assert [topic for topic in ("first.topic<span", "user.banned<span") if topic in html] == [shown], query


def test_the_list_costs_the_same_for_one_and_for_many(client, django_assert_num_queries):
    for number in range(20):
        written(f"k{number}", user_id=CustomerFactory().pk)
    client.force_login(StaffFactory(permissions=[SEE, READ, RETRY]))
    with django_assert_num_queries(6):
        client.get(reverse(LIST))


def test_the_sidebar_counts_what_was_given_up(client):
    written("a")
    written("b")
    written("c", state=MessageState.UNCONFIGURED)
    html = page(client, reverse(LIST), SEE)
    assert "?state__exact=dead" in html
    assert '>2<span class="visually-hidden"> waiting in Messages' in html


def test_the_list_says_which_channels_have_no_address(client, settings):
    settings.EMAIL_URL, settings.SLACK_WEBHOOK_URL, settings.PRODUCT_WEBHOOK_URL = "", "https://x", "https://x"
    settings.PRODUCT_WEBHOOK_SECRETS = []
    assert "Not configured: Mail, Webhooks to the product." in page(client, reverse(LIST), SEE)


def test_a_message_is_sent_again_once_it_was_confirmed_with_an_entry_in_the_audit_log(client):
    message, clerk = written(), StaffFactory(permissions=[SEE, RETRY])
    client.force_login(clerk)
    assert again(message) in client.get(change(message)).content.decode()
    token = client.get(again(message)).context["token"]
    client.post(again(message), {"token": token, "reason": "They asked"})
    message.refresh_from_db()
    assert message.state == MessageState.DEAD
    response = client.post(again(message), {"token": token, "reason": "They asked", "confirm": "yes"})
    assert response["Location"] == change(message)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == (MessageState.PENDING, 0, "")
    entry = AuditEntry.objects.get(action="jobs.send_message_again")
    assert (entry.actor_id, entry.reason, entry.resource_label) == (clerk.pk, "They asked", f"welcome {message.pk}")
    assert "ada@example.com" not in str(entry.new_values)


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_only_looks_cannot_send_again(client, method):
    message = written()
    client.force_login(StaffFactory(permissions=[SEE, READ]))
    for url in (again(message), reverse("admin:jobs_outboxmessage_send_all_again")):
        assert getattr(client, method)(url, {"confirm": "yes"}).status_code == 403
    assert again(message) not in client.get(change(message)).content.decode()
    assert OutboxMessage.objects.get().state == MessageState.DEAD


def test_a_message_whose_content_was_removed_cannot_be_sent_again(client):
    message = written()
    OutboxMessage.objects.update(forgotten_at=clock.now(), body="", payload={})
    client.force_login(StaffFactory(permissions=[SEE, READ, RETRY]))
    html = client.get(change(message)).content.decode()
    assert "Removed for its age" in html
    assert again(message) not in html
    token = client.get(again(message)).context["token"]
    response = client.post(again(message), {"token": token, "confirm": "yes"})
    assert "nothing left to send" in response.content.decode()
    assert OutboxMessage.objects.get().state == MessageState.DEAD


def test_after_an_outage_all_that_was_given_up_is_sent_again_and_nothing_else(client):
    recent, other, sent = written("a"), written("b", state=MessageState.UNCONFIGURED), written("c")
    OutboxMessage.objects.filter(pk=sent.pk).update(state=MessageState.SENT, sent_at=clock.now())
    old = written("old")
    OutboxMessage.objects.filter(pk=old.pk).update(created_at=clock.now() - timedelta(days=30))
    client.force_login(StaffFactory(permissions=[SEE, RETRY]))
    url = reverse("admin:jobs_outboxmessage_send_all_again")
    token = client.get(url).context["token"]
    filled = {"token": token, "state": "dead", "since": f"{clock.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"}
    assert "1 sent once more" in client.post(url, filled).content.decode()
    client.post(url, {**filled, "confirm": "yes"})
    states = dict(OutboxMessage.objects.values_list("key", "state"))
    assert states == {"a": "pending", "b": "unconfigured", "c": "sent", "old": "dead"}
    assert services.claim_due_messages(limit=10) == [(recent.pk, 0)]
    entry = AuditEntry.objects.get(action="jobs.send_message_again")
    assert entry.new_values == {"state": "pending", "messages": 1}
    assert other.pk


def test_the_customer_page_lists_what_was_sent_to_them_with_its_subject_by_permission(client):
    customer = CustomerFactory()
    written(user_id=customer.pk)
    written("other", subject="Not about them")
    url = reverse("admin:accounts_customer_change", args=[customer.pk])
    html = page(client, url, "accounts.view_customer", SEE, READ)
    assert "Hello &lt;b&gt;" in html
    assert "Not about them" not in html
    assert f"{reverse(LIST)}?user__exact={customer.pk}" in html
    html = page(client, url, "accounts.view_customer", SEE)
    assert "Hello" not in html
    assert ">welcome" in html.replace("> welcome", ">welcome")
    assert "welcome" not in page(client, url, "accounts.view_customer")
