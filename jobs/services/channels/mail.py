"""To a mailbox, through Django's mail API."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from jobs.models import OutboxMessage
from jobs.services.channels.answers import Answer, NotConfigured, readable

# What a server says of the mail itself. The rest, a wrong password among it, is ours to set right.
PERMANENT = range(500, 600)


def send(message: OutboxMessage) -> Answer:
    """A plain text. Raises NotConfigured."""
    if not settings.EMAIL_URL:
        raise NotConfigured("EMAIL_URL is not set.")
    try:
        _mail(message).send()
    except ValueError as error:
        # A header that would have become two, or two recipients in one: Django refuses it, now and next time.
        return Answer(ok=False, text=readable(str(error)), is_final=True)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return _refused(code, text, is_final=code in PERMANENT)
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code, error.smtp_error, is_final=error.smtp_code in PERMANENT)
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error, is_final=False)
    except (OSError, smtplib.SMTPException) as error:
        return Answer(ok=False, text=readable(f"The mail server could not be reached ({error})."))
    return Answer(ok=True)


def _mail(message: OutboxMessage) -> EmailMessage:
    return EmailMessage(
        subject=message.subject,
        body=message.body,
        to=[message.recipient],
        headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
    )


def message_id(message: OutboxMessage) -> str:
    """The same at each attempt, so that a mail that arrives twice is seen to be one."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    return f"<message-{message.pk}.{int(message.created_at.timestamp())}@{domain}>"


def _refused(code: int, text: bytes | str, *, is_final: bool) -> Answer:
    told = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Answer(ok=False, status_code=code, text=readable(told), is_final=is_final)
