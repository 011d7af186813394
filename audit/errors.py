"""What can go wrong with the audit log."""


class AuditError(Exception):
    """Base of what this app raises."""


class OutsideTransaction(AuditError):
    """An entry must share the transaction of the act it tells of, and there was none."""

    def __init__(self) -> None:
        super().__init__("An audit entry is written in the transaction of the act it tells of.")


class NotAsShown(Exception):
    """What was confirmed is not what would be done now."""
