"""What the audit log is told of staff who come, fail to, prove themselves, and go."""

from django.db import transaction

from accounts import selectors
from accounts.models import User
from audit.actions import Action
from audit.services import WITHHELD, Resource, record

# A sign-in under an address that is no member's: there is nobody to point at.
NOBODY = Resource("accounts.user", "", "nobody on the staff")


@transaction.atomic
def record_sign_in(*, member: User, second_factor: str, session: str) -> None:
    """``member`` is in. ``second_factor`` is the kind that was shown, or empty; ``session`` its public id."""
    record(
        action=Action.SIGNED_IN,
        actor=member,
        resource=Resource.of(member),
        new_values={"second_factor": second_factor, "session": session},
    )


@transaction.atomic
def record_sign_out(*, member: User, session: str) -> None:
    """``member`` logged out of ``session``, a public id."""
    record(action=Action.SIGNED_OUT, actor=member, resource=Resource.of(member), old_values={"session": session})


@transaction.atomic
def record_failure(*, email: str, step: str, member: User | None, is_locked: bool) -> None:
    """Somebody tried to be ``email`` and failed at ``step``: "password" or "second factor".

    ``member`` is logged in already and was asked anew. ``is_locked``: it was the failure that shuts the door for a
    while. An address that is no member's is not kept.
    """
    tried = member or selectors.staff_by_email(email)
    resource = Resource.of(tried) if tried else NOBODY
    values = {"step": step} if tried else {"step": step, "address": WITHHELD}
    failed = Action.STEP_UP_FAILED if member else Action.SIGN_IN_FAILED
    record(action=failed, actor=member, resource=resource, new_values=values)
    if is_locked:
        record(action=Action.LOCKED_OUT, actor=member, resource=resource, new_values=values)


@transaction.atomic
def record_step_up(*, member: User, method: str) -> None:
    """``member``, who is logged in, has proven it anew, by ``method``: "password", "code" or "passkey"."""
    record(action=Action.STEP_UP_PASSED, actor=member, resource=Resource.of(member), new_values={"method": method})
