"""Verbs on jobs, limits, approvals and messages."""

from jobs.services.approvals import approve, deny, expire_approvals, request_approval, withdraw
from jobs.services.bulk import request_bulk, start_bulk, use_of
from jobs.services.delivery import claim_due_messages, deliver_message
from jobs.services.feed import events_after
from jobs.services.limits import apply_default_limits, count_use, lock_staff
from jobs.services.outbox import enqueue, send_again, send_all_again
from jobs.services.pruning import prune, to_prune
from jobs.services.running import run_job
from jobs.services.telling import (
    Told,
    tell_of_reset_request,
    tell_of_status_change,
    tell_of_untold_reset_requests,
    tell_of_untold_status_changes,
    tell_product,
)
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
    "Told",
    "apply_default_limits",
    "approve",
    "cancel_job",
    "claim_due_messages",
    "count_use",
    "create_job",
    "deliver_message",
    "deny",
    "draft_job",
    "drop_drafts",
    "due_jobs",
    "enqueue",
    "events_after",
    "expire_approvals",
    "lock_staff",
    "note_download",
    "prune",
    "request_approval",
    "request_bulk",
    "retry_job",
    "run_job",
    "send_again",
    "send_all_again",
    "start_bulk",
    "start_draft",
    "tell_of_reset_request",
    "tell_of_status_change",
    "tell_of_untold_reset_requests",
    "tell_of_untold_status_changes",
    "tell_product",
    "to_prune",
    "undo_job",
    "use_of",
    "withdraw",
]
