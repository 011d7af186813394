"""What the product fetches from the outbox, and how failures of jobs, limits and approvals are answered."""

from backoffice.lib.api.errors import ErrorTable
from jobs.api.events import router as webhooks
from jobs.errors import WorkError

errors = ErrorTable(
    WorkError,
    {
        "unknown_kind": 404,
        "forbidden": 403,
        "no_more_allowed": 403,
        "wrong_state": 409,
        "job_canceled": 409,
        "limit_exceeded": 403,
        "second_person_needed": 403,
        "idempotency_conflict": 409,
        "invalid_message": 422,
        "unknown_event": 404,
    },
)

__all__ = ["errors", "webhooks"]
