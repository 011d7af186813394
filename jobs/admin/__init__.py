"""Pages about what waits to be done, how far it is, and what waits for a second person."""

from jobs.admin.approvals import ApprovalAdmin
from jobs.admin.jobs import JobAdmin
from jobs.admin.limits import RoleLimitAdmin
from jobs.admin.outbox import OutboxMessageAdmin

__all__ = ["ApprovalAdmin", "JobAdmin", "OutboxMessageAdmin", "RoleLimitAdmin"]
