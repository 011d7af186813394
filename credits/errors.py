"""What the ledger refuses, each with the code that programs see."""

from decimal import Decimal

from backoffice.lib.money import format_credits, plain_credits


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
        words = "credit is" if needed == 1 else "credits are"
        super().__init__(f"{format_credits(needed)} {words} needed and {format_credits(available)} available.")
        self.needed = needed
        self.available = available

    @property
    def details(self) -> dict[str, str]:
        """For programs."""
        return {"needed": plain_credits(self.needed), "available": plain_credits(self.available)}


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


class CustomerBanned(CreditError):
    """A banned customer spends nothing."""

    code = "user_banned"

    def __init__(self, user_id: int) -> None:
        super().__init__(f"Customer {user_id} is banned.")
        self.user_id = user_id


class CustomerSuspended(CreditError):
    """A suspended customer spends nothing until the suspension ends."""

    code = "user_suspended"

    def __init__(self, user_id: int) -> None:
        super().__init__(f"Customer {user_id} is suspended.")
        self.user_id = user_id


class UnknownTransaction(CreditError):
    """There is no entry with this id."""

    code = "unknown_transaction"

    def __init__(self, transaction_id: int) -> None:
        super().__init__(f"There is no ledger entry with id {transaction_id}.")
        self.transaction_id = transaction_id


class NotReversible(CreditError):
    """The entry is of a kind that this act does not apply to."""

    code = "not_reversible"


class RefundTooLarge(CreditError):
    """Refunds of a usage never exceed it. Amounts are credits."""

    code = "refund_too_large"

    def __init__(self, *, wanted: Decimal, left: Decimal) -> None:
        super().__init__(
            f"Of this usage {left} credits are left to refund, not {wanted}."
            if left
            else "This usage was refunded in full already."
        )
        self.wanted = wanted
        self.left = left

    @property
    def details(self) -> dict[str, str]:
        """For programs."""
        return {"wanted": plain_credits(self.wanted), "left": plain_credits(self.left)}


class ClawbackTooLarge(CreditError):
    """Clawbacks of a purchase never exceed it. Amounts are credits."""

    code = "clawback_too_large"

    def __init__(self, *, wanted: Decimal, left: Decimal) -> None:
        super().__init__(f"Of this purchase {left} credits are left to claw back, not {wanted}.")
        self.wanted = wanted
        self.left = left


class AlreadyReinstated(CreditError):
    """A clawback is given back once."""

    code = "already_reinstated"


class UnknownHold(CreditError):
    """There is no hold with this id."""

    code = "unknown_hold"

    def __init__(self, hold_id: int) -> None:
        super().__init__(f"There is no hold with id {hold_id}.")
        self.hold_id = hold_id


class HoldClosed(CreditError):
    """The hold was captured, released or has expired."""

    code = "hold_closed"

    def __init__(self, state: str) -> None:
        super().__init__(f"The hold is not open any more: it is {state}.")
        self.state = state

    @property
    def details(self) -> dict[str, str]:
        """For programs."""
        return {"state": str(self.state)}


class CaptureTooLarge(CreditError):
    """A capture never exceeds its hold. Amounts are credits."""

    code = "capture_too_large"

    def __init__(self, *, wanted: Decimal, held: Decimal) -> None:
        super().__init__(f"The hold reserves {held} credits, not {wanted}.")
        self.wanted = wanted
        self.held = held

    @property
    def details(self) -> dict[str, str]:
        """For programs."""
        return {"wanted": plain_credits(self.wanted), "held": plain_credits(self.held)}


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


class OpeningRefused(Exception):
    """An opening balance cannot be booked after all. No program meets this: no endpoint imports."""

    def __init__(self, line: int, error: CreditError) -> None:
        super().__init__(f"Line {line}: {error} Nothing was imported.")
