"""Mails to members of staff about changes of what they log in with: if it was not them, they are the first to know."""

from django.conf import settings

from accounts.models import User
from accounts.tasks import mail_notice
from audit import context
from backoffice.lib.browsers import describe
from backoffice.lib.nudge import nudge


def send(member: User, what: str) -> None:
    """Mail ``member`` that ``what`` happened, and from where. Nothing where no mail is sent."""
    if settings.EMAIL_URL:
        origin = context.current()
        nudge(mail_notice, member.pk, what, f"{describe(origin.user_agent)}, {origin.ip or 'address unknown'}")
