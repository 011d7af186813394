"""Verbs on jobs, limits, approvals and messages."""

from jobs.services.approvals import approve, deny, expire_approvals, request_approval, withdraw
from jobs.services.limits import apply_default_limits, count_use, lock_staff, set_limit
from jobs.services.outbox import enqueue
from jobs.services.running import run_job
from jobs.services.work import (
    cancel_job,
    create_job,
    draft_job,
    drop_drafts,
    due_jobs,
    note_download,
    retry_job,
    start_draft,
    undo_job,
)

__all__ = [
    "apply_default_limits",
    "approve",
    "cancel_job",
    "count_use",
    "create_job",
    "deny",
    "draft_job",
    "drop_drafts",
    "due_jobs",
    "enqueue",
    "expire_approvals",
    "lock_staff",
    "note_download",
    "request_approval",
    "retry_job",
    "run_job",
    "set_limit",
    "start_draft",
    "undo_job",
    "withdraw",
]
