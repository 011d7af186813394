"""To a channel of the staff's Slack."""

import json

from django.conf import settings

from jobs.models import OutboxMessage
from jobs.services.channels.answers import Answer, NotConfigured
from jobs.services.channels.http import post


def send(message: OutboxMessage) -> Answer:
    """The message's body as plain text. Raises NotConfigured."""
    if not settings.SLACK_WEBHOOK_URL:
        raise NotConfigured("SLACK_WEBHOOK_URL is not set.")
    return post(settings.SLACK_WEBHOOK_URL, json.dumps({"text": _plain(message.body)}).encode())


def _plain(text: str) -> str:
    # Slack reads <!channel> and <https://...|words> in it: what a customer wrote must call nobody and hide no address.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
