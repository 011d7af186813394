"""Messages to a mailbox, through a mail server."""

import pytest

from jobs import services, tasks
from jobs.errors import InvalidMessage
from jobs.models import Channel, MessageState, OutboxMessage
from jobs.tests.mailbox import open_mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(settings):
    with open_mailbox() as mailbox:
        settings.EMAIL_URL = f"smtp://{mailbox.host}:{mailbox.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = mailbox.host, mailbox.port
        settings.DEFAULT_FROM_EMAIL = "Our Support <support@example.com>"
        yield mailbox


def written(key="k", **values):
    told = {"topic": "welcome", "recipient": "ada@example.com", "subject": "Hello", "body": "Text\n"}
    return services.enqueue(key=key, channel=Channel.MAIL, **told | values)


def attempt(message):
    message.refresh_from_db()
    tasks.deliver_message(message.pk, message.attempts)
    message.refresh_from_db()
    return message


def test_a_mail_is_a_plain_text_from_our_address(mailbox):
    message = attempt(written(subject="Grüße 木", body="Zoë\n.\nend"))
    assert message.state == MessageState.SENT
    [mail] = mailbox.got
    assert mail["To"] == "ada@example.com"
    assert mail["From"] == "Our Support <support@example.com>"
    assert mail["Subject"] == "Grüße 木"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == ["Zoë", ".", "end"]


def test_a_mail_that_is_sent_twice_is_known_by_its_id(mailbox):
    message = written()
    mailbox.refusals[b"DATA"] = b"451 later"
    attempt(message)
    assert (message.attempts, message.last_error) == (1, "451: later")
    mailbox.refusals.clear()
    attempt(message)
    services.send_again(message_id=message.pk, actor=None, reason="")
    attempt(message)
    first, second = [mail["Message-ID"] for mail in mailbox.got]
    assert first == second
    assert first.endswith("@example.com>")
    attempt(written("other"))
    assert mailbox.got[-1]["Message-ID"] != first


@pytest.mark.parametrize("verb", [b"RCPT", b"DATA"])
def test_what_the_server_refuses_for_good_is_not_tried_again(mailbox, verb):
    mailbox.refusals[verb] = b"550 no such user"
    message = attempt(written())
    assert (message.state, message.last_error) == (MessageState.DEAD, "550: no such user")


def test_what_is_ours_to_set_right_is_tried_again(mailbox):
    mailbox.refusals[b"MAIL"] = b"530 authentication required"
    assert attempt(written()).state == MessageState.PENDING


def test_a_mail_server_that_is_away_is_tried_again(mailbox, settings):
    settings.EMAIL_PORT = 1
    message = attempt(written())
    assert message.state == MessageState.PENDING
    assert "could not be reached" in message.last_error


BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\x00"]


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("field", ["recipient", "subject"])
def test_a_header_that_would_become_two_is_refused(field, line_break):
    with pytest.raises(InvalidMessage):
        written(**{field: f"ada@example.com{line_break}Bcc: eve@example.com"})
    assert not OutboxMessage.objects.exists()


def test_a_header_that_came_in_otherwise_is_refused_when_it_is_sent(mailbox):
    subject, recipient = written("subject"), written("recipient")
    OutboxMessage.objects.filter(pk=subject.pk).update(subject="Hello\nBcc: eve@example.com")
    OutboxMessage.objects.filter(pk=recipient.pk).update(recipient="ada@example.com, eve@example.com")
    for message in (subject, recipient):
        assert attempt(message).state == MessageState.DEAD
        assert message.last_error
    assert mailbox.got == []


def test_a_mail_to_nobody_is_refused():
    with pytest.raises(InvalidMessage):
        written(recipient="")
