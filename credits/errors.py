"""What the ledger refuses, each with the code that programs see."""

from decimal import Decimal


class CreditError(Exception):
    """Base of what this app raises. ``code`` is stable and meant for programs."""

    code = "credit_error"


class InvalidAmount(CreditError, ValueError):
    """The amount is not one that the ledger can carry."""

    code = "invalid_amount"


class InvalidText(CreditError, ValueError):
    """A text is longer than the ledger keeps, or holds a NUL."""

    code = "invalid_text"


class InsufficientCredits(CreditError):
    """The account cannot bear the movement. Amounts are credits."""

    code = "insufficient_credits"

    def __init__(self, *, needed: Decimal, available: Decimal) -> None:
        super().__init__(f"{needed} credits are needed and {available} are available.")
        self.needed = needed
        self.available = available


class UnknownUser(CreditError):
    """There is no customer with this id. Staff hold no credits."""

    code = "unknown_user"

    def __init__(self, user_id: int) -> None:
        super().__init__(f"There is no customer with id {user_id}.")
        self.user_id = user_id


class DemoCustomer(CreditError):
    """Demo customers are never counted, so they have no ledger."""

    code = "demo_customer"

    def __init__(self, user_id: int) -> None:
        super().__init__(f"Customer {user_id} is a demo customer, whose credits are not counted.")
        self.user_id = user_id


class IdempotencyConflict(CreditError):
    """The key was used before, for something else."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        super().__init__("This was asked for before with another content, and that first time stands.")
        self.key = key


class InvalidExpiry(CreditError, ValueError):
    """Credits cannot expire before they exist."""

    code = "invalid_expiry"


class ReasonMissing(CreditError, ValueError):
    """A member of staff must say why."""

    code = "reason_missing"
