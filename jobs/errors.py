"""What can go wrong with jobs, limits and approvals, each with the code that programs see."""

from decimal import Decimal


class WorkError(Exception):
    """Base of what this app raises. ``code`` is stable and meant for programs."""

    code = "work_error"


class UnknownKind(WorkError):
    """No app offers this kind of job, or this verb."""

    code = "unknown_kind"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no such kind of work: {key}.")


class NotAllowed(WorkError):
    """The reader lacks the permission that the work itself needs, or it is somebody else's."""

    code = "forbidden"

    def __init__(self) -> None:
        super().__init__("You may not do this.")


class NoMoreAllowed(WorkError):
    """Whoever asked for the work was shut out or lost the permission for it before it was done."""

    code = "no_more_allowed"

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} may not do this any more. What was done before stays done.")


class WrongState(WorkError):
    """It has gone on meanwhile, and what was asked for is no longer possible."""

    code = "wrong_state"


class JobCanceled(WorkError):
    """Somebody canceled the job that is running."""

    code = "job_canceled"

    def __init__(self) -> None:
        super().__init__("The job was canceled.")


class LimitExceeded(WorkError):
    """More than the person may do without a second one. Amounts are in the verb's unit."""

    code = "limit_exceeded"

    def __init__(self, *, verb: str, amount: Decimal, limit: Decimal, is_daily: bool, explanation: str) -> None:
        super().__init__(explanation)
        self.verb, self.amount, self.limit, self.is_daily = verb, amount, limit, is_daily


class NotYours(WorkError):
    """Nobody decides on what they asked for themselves."""

    code = "second_person_needed"

    def __init__(self) -> None:
        super().__init__("You asked for this yourself: a second person has to decide.")


class TokenReused(WorkError):
    """The same token stood for something else before."""

    code = "idempotency_conflict"

    def __init__(self, message: str = "This was used for something else before: nothing was done now.") -> None:
        super().__init__(message)


class InvalidMessage(WorkError):
    """A message that cannot be sent as it is."""

    code = "invalid_message"


class UnknownEvent(WorkError):
    """The product's feed has no such event."""

    code = "unknown_event"

    def __init__(self, event_id: int) -> None:
        super().__init__(f"There is no event {event_id} in the feed. Begin anew, without after.")
