"""What waits to be done: long work, messages to the outside, and acts that a second person decides on."""

from jobs.models.approvals import Approval, ApprovalState
from jobs.models.limits import LimitUse, RoleLimit
from jobs.models.outbox import Channel, Delivery, MessageState, OutboxMessage
from jobs.models.work import ItemState, Job, JobItem, JobState

__all__ = [
    "Approval",
    "ApprovalState",
    "Channel",
    "Delivery",
    "ItemState",
    "Job",
    "JobItem",
    "JobState",
    "LimitUse",
    "MessageState",
    "OutboxMessage",
    "RoleLimit",
]
