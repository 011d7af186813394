"""The ways out of the house. Each sends one message and says what the other side answered, failures included.

They are called outside any transaction: nobody's rows stay locked while somebody else's server thinks.
"""

from collections.abc import Callable

from jobs.models import Channel, OutboxMessage
from jobs.services.channels import mail, slack, webhook
from jobs.services.channels.answers import Answer, NotConfigured

SENDERS: dict[str, Callable[[OutboxMessage], Answer]] = {
    Channel.MAIL: mail.send,
    Channel.WEBHOOK: webhook.send,
    Channel.SLACK: slack.send,
}

__all__ = ["SENDERS", "Answer", "NotConfigured"]
