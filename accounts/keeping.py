"""For how long this app keeps what."""

from accounts.services import forgetting
from backoffice.lib.retention import Retention, retentions


def register() -> None:
    """Called once, from ``offers.register()``."""
    retentions.register(
        Retention(
            key="activity",
            label="What customers did",
            setting="RETENTION_ACTIVITY_DAYS",
            count=lambda before: forgetting.old_activity(before).count(),
            remove=forgetting.remove_activity,
            order=10,
        )
    )
    retentions.register(
        Retention(
            key="addresses",
            label="IP addresses and browsers of what customers did",
            setting="RETENTION_ADDRESS_DAYS",
            count=lambda before: forgetting.old_addresses(before).count(),
            remove=forgetting.remove_addresses,
            order=20,
        )
    )
    retentions.register(
        Retention(
            key="failed-logins",
            label="Failed logins of staff",
            setting="RETENTION_ADDRESS_DAYS",
            count=lambda before: forgetting.old_attempts(before).count(),
            remove=forgetting.remove_attempts,
            order=30,
        )
    )
