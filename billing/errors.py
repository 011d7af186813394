"""What can go wrong in billing. Reasons are sentences for the people of billing and say what to do."""

from datetime import datetime


class BillingError(Exception):
    """Base of what this app raises."""


class MalformedEvent(BillingError, ValueError):
    """The body is no event: Stripe made no such thing, so nothing of it is kept."""


class NotApplied(BillingError):
    """An event has no effect, for a reason that is kept with it."""


class Ignored(NotApplied):
    """There is nothing to do."""


class Parked(NotApplied):
    """Someone has to look: what to do cannot be told from the event, and nothing is guessed."""


class Waiting(NotApplied):
    """Another event is expected until ``until`` (UTC)."""

    def __init__(self, reason: str, *, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


class StripeCallFailed(BillingError):
    """Stripe could not be asked, or did not answer as it should."""


class NotReplayable(BillingError):
    """Only an event that came to rest without effect can be replayed."""

    def __init__(self, state: str) -> None:
        super().__init__(f"An event that is {state} cannot be replayed.")


class ReasonMissing(BillingError, ValueError):
    """A member of staff must say why."""


class NotRefundable(BillingError):
    """The money cannot be given back like that; the reason says what can be done."""


class NotReconcilable(BillingError):
    """It cannot be set right like that; the reason says what can be done."""


class StripeNotConfigured(BillingError):
    """There is no key to call Stripe with."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing can be asked of Stripe, since STRIPE_SECRET_KEY is not set. Ask whoever runs this back office to "
            "set it, then do this again."
        )
