"""Reads of jobs, limits and approvals."""

from jobs.selectors.approvals import (
    count_waiting_for,
    may_decide,
    pending_about,
    waiting_for,
)
from jobs.selectors.limits import Bounds, bounds_of, excess, used_today
from jobs.selectors.outbox import (
    given_up,
    key_of_reset_request,
    key_of_status_change,
    messages,
    messages_about,
    messages_to_send_again,
    reset_requests_to_tell,
    search_messages,
    status_changes_to_tell,
    unconfigured_channels,
    untold,
    untold_reset_requests,
    untold_status_changes,
)
from jobs.selectors.work import items_of, jobs_seen_by, may_see, result_is_there

__all__ = [
    "Bounds",
    "bounds_of",
    "count_waiting_for",
    "excess",
    "given_up",
    "items_of",
    "jobs_seen_by",
    "key_of_reset_request",
    "key_of_status_change",
    "may_decide",
    "may_see",
    "messages",
    "messages_about",
    "messages_to_send_again",
    "pending_about",
    "reset_requests_to_tell",
    "result_is_there",
    "search_messages",
    "status_changes_to_tell",
    "unconfigured_channels",
    "untold",
    "untold_reset_requests",
    "untold_status_changes",
    "used_today",
    "waiting_for",
]
