"""To the product: a signed POST."""

from django.conf import settings

from backoffice.lib import clock
from jobs.envelopes import envelope
from jobs.models import OutboxMessage
from jobs.services.channels.answers import Answer, NotConfigured
from jobs.services.channels.http import post
from jobs.signatures import HEADER, signature


def send(message: OutboxMessage) -> Answer:
    """Signed with every secret that is configured, at the time of this attempt. Raises NotConfigured."""
    if not settings.PRODUCT_WEBHOOK_URL or not settings.PRODUCT_WEBHOOK_SECRETS:
        raise NotConfigured("PRODUCT_WEBHOOK_URL and PRODUCT_WEBHOOK_SECRETS are not set.")
    body = envelope(message)
    signed = signature(body, secrets=settings.PRODUCT_WEBHOOK_SECRETS, at=clock.now())
    return post(settings.PRODUCT_WEBHOOK_URL, body, {HEADER: signed})
