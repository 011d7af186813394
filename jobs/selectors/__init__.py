"""Reads of jobs, limits and approvals."""

from jobs.selectors.approvals import (
    count_waiting_for,
    may_decide,
    pending_about,
    waiting_for,
)
from jobs.selectors.limits import Bounds, bounds_of, excess, used_today
from jobs.selectors.work import items_of, jobs_seen_by, may_see, result_is_there

__all__ = [
    "Bounds",
    "bounds_of",
    "count_waiting_for",
    "excess",
    "items_of",
    "jobs_seen_by",
    "may_decide",
    "may_see",
    "pending_about",
    "result_is_there",
    "used_today",
    "waiting_for",
]
