"""Pages about what waits to be done, and what waits for a second person."""

from jobs.admin.approvals import ApprovalAdmin
from jobs.admin.limits import RoleLimitAdmin
from jobs.admin.outbox import OutboxMessageAdmin

__all__ = ["ApprovalAdmin", "OutboxMessageAdmin", "RoleLimitAdmin"]
