"""What the product tells of its customers and of what they do."""

from accounts.api.audit_logs import router as audit_logs
from accounts.api.events import router as events
from accounts.api.exports import router as exports
from accounts.api.staff_users import router as make_staff_users
from accounts.api.users import router as users
from accounts.errors import AccountError
from backoffice.lib.api.errors import ErrorTable

errors = ErrorTable(
    AccountError,
    {
        "unknown_user": 404,
        "email_taken": 409,
        "already_counted": 409,
        "email_missing": 422,
        "invalid_key": 422,
        "key_revoked": 409,
        "reason_missing": 422,
        "invalid_until": 422,
        "wrong_status": 409,
        "unknown_status_change": 404,
        "invalid_note": 422,
        "unknown_note": 404,
        "not_your_note": 403,
        "unknown_tag": 404,
        "user_merged": 409,
        "user_anonymised": 409,
        "user_retired": 409,
        "merge_refused": 409,
        "anonymise_refused": 409,
    },
)

__all__ = ["audit_logs", "errors", "events", "exports", "make_staff_users", "users"]
