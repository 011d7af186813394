"""For how long this app keeps what."""

from backoffice.lib.retention import Retention, retentions
from jobs.services import forgetting


def register() -> None:
    """Called once, from ``offers.register()``."""
    retentions.register(
        Retention(
            key="messages",
            label="What messages said and to whom",
            setting="RETENTION_MESSAGE_DAYS",
            count=lambda before: forgetting.old_messages(before).count(),
            remove=forgetting.remove_contents,
            order=40,
        )
    )
    retentions.register(
        Retention(
            key="job-items",
            label="What ended jobs were done to",
            setting="RETENTION_JOB_DAYS",
            count=lambda before: forgetting.old_items(before).count(),
            remove=forgetting.remove_items,
            order=50,
        )
    )
