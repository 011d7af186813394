"""The ledger for programs: the product spends, holds and reads; staff give, correct and refund."""

from backoffice.lib.api.errors import ErrorTable
from credits.api.balances import router as balances
from credits.api.charges import router as charges
from credits.api.holds import router as holds
from credits.api.staff import router as staff
from credits.errors import CreditError

# 409 is what clashes with what is booked already: the request may be sound and still never succeed.
errors = ErrorTable(
    CreditError,
    {
        "invalid_amount": 422,
        "invalid_text": 422,
        "invalid_expiry": 422,
        "reason_missing": 422,
        "insufficient_credits": 402,
        "user_banned": 403,
        "user_suspended": 403,
        "unknown_user": 404,
        "unknown_transaction": 404,
        "unknown_hold": 404,
        "demo_customer": 409,
        "idempotency_conflict": 409,
        "not_reversible": 409,
        "refund_too_large": 409,
        "clawback_too_large": 409,
        "already_reinstated": 409,
        "hold_closed": 409,
        "capture_too_large": 409,
    },
)

__all__ = ["balances", "charges", "errors", "holds", "staff"]
