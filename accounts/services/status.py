"""Shutting customers out and letting them in again. Members of staff have a page and rules of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError, transaction

from accounts import selectors
from accounts.errors import AccountError, InvalidUntil, ReasonRefused, UnknownStatusChange, WrongStatus
from accounts.models import Customer, Status, StatusChange, User
from accounts.services.living import living_customer
from audit.actions import Action
from audit.services import Resource, record
from backoffice.lib import clock
from backoffice.lib.hooks import hooks
from backoffice.lib.texts import NUL

logger = structlog.get_logger(__name__)

REASON_LENGTH = User._meta.get_field("status_reason").max_length or 0
# Fired with the id of the change; who listens and misses it finds the row.
STATUS_CHANGED = "user_status_changed"
BY_CLOCK = "clock"
JOB = "job:"
ACTIONS: Mapping[str, Action] = {
    "user.banned": Action.USER_BANNED,
    "user.unbanned": Action.USER_UNBANNED,
    "user.suspended": Action.USER_SUSPENDED,
    "user.reinstated": Action.USER_REINSTATED,
}


@dataclass(frozen=True)
class StatusOutcome:
    """The customer as they are now, and the change that was made: none if it was so already.

    ``replayed`` says that the change was made before, under the same key.
    """

    customer: Customer
    change: StatusChange | None
    replayed: bool = False


@transaction.atomic
def ban_customer(
    *,
    user_id: int,
    reason: str,
    actor: User | None,
    until: datetime | None = None,
    source: str = "",
    key: str | None = None,
) -> StatusOutcome:
    """Shut a customer out until ``until`` (UTC), else until somebody lifts it: charges are refused from the commit on.

    A suspended customer may be banned; one who is banned until the same moment stays so and nothing is written.
    ``source`` is ``job:ID`` for a part of a job, whose own audit entry then stands for it. The same ``key`` again does
    nothing. Raises UnknownCustomer (for staff too), CustomerRetired, ReasonRefused, InvalidUntil, and WrongStatus when
    the key is another's.
    """
    wanted = _Wanted(Status.BANNED, _checked(reason), until, actor, source, key)
    return _do(user_id, wanted)


@transaction.atomic
def suspend_customer(
    *,
    user_id: int,
    reason: str,
    actor: User | None,
    until: datetime | None = None,
    source: str = "",
    key: str | None = None,
) -> StatusOutcome:
    """Shut a customer out for a while; as ``ban_customer``, but one who is banned stays banned (WrongStatus)."""
    wanted = _Wanted(Status.SUSPENDED, _checked(reason), until, actor, source, key)
    return _do(user_id, wanted, unless=Status.BANNED, refusal="This customer is banned, which goes further.")


@transaction.atomic
def unban_customer(
    *, user_id: int, reason: str, actor: User | None, source: str = "", key: str | None = None
) -> StatusOutcome:
    """Lift a ban. Who is active stays so and nothing is written.

    Raises UnknownCustomer, ReasonRefused, WrongStatus (suspended, not banned).
    """
    wanted = _Wanted(Status.ACTIVE, _checked(reason), None, actor, source, key)
    return _do(user_id, wanted, unless=Status.SUSPENDED, refusal="This customer is suspended, not banned.")


@transaction.atomic
def lift_suspension(
    *, user_id: int, reason: str, actor: User | None, source: str = "", key: str | None = None
) -> StatusOutcome:
    """Lift a suspension, as ``unban_customer`` lifts a ban."""
    wanted = _Wanted(Status.ACTIVE, _checked(reason), None, actor, source, key)
    return _do(user_id, wanted, unless=Status.BANNED, refusal="This customer is banned, not suspended.")


@transaction.atomic
def undo_status_change(*, change_id: int, actor: User, source: str = "") -> StatusOutcome:
    """Put a customer back to where the change found them, unless something changed since (WrongStatus).

    What would have ended by itself meanwhile does not come back. Twice is once. ``source`` is ``job:ID`` for a part of
    a job. Raises UnknownStatusChange.
    """
    change = StatusChange.objects.filter(pk=change_id).first()
    if change is None:
        raise UnknownStatusChange(change_id)
    customer = living_customer(change.user_id)
    latest, *earlier = selectors.status_history(user_id=change.user_id)[:2]
    source = source or f"undo:{change.pk}"
    if latest.source == source:
        return StatusOutcome(customer, latest, replayed=True)
    if latest.pk != change.pk:
        raise WrongStatus("The status has changed again since, so this can no longer be undone.")
    before = earlier[0] if earlier else None
    until = before.until if before else None
    if change.old == Status.ACTIVE or (until and until <= clock.now()):
        reason = f"Undone: {change.reason}"[:REASON_LENGTH]
        return _change(customer, _Wanted(Status.ACTIVE, reason, None, actor, source))
    return _change(customer, _Wanted(Status(change.old), before.reason if before else "", until, actor, source))


def lift_due_statuses() -> int:
    """Lift the suspensions and bans whose time is over, each once and by itself; how many."""
    lifted = 0
    for user_id in selectors.statuses_due(now=clock.now()):
        try:
            lifted += _lift_due(user_id)
        except (DatabaseError, AccountError):
            # One customer whose row cannot be changed now, or is nobody's any more, must not keep the others shut out.
            logger.exception("a status was not lifted", user_id=user_id)
    return lifted


@transaction.atomic
def _lift_due(user_id: int) -> bool:
    customer = living_customer(user_id)
    # Read again under the lock: it may have been lifted, or made longer, while we came.
    if customer.status == Status.ACTIVE or not customer.status_until or customer.status_until > clock.now():
        return False
    _change(customer, _Wanted(Status.ACTIVE, "Its time is over.", None, None, BY_CLOCK))
    return True


@dataclass(frozen=True)
class _Wanted:
    status: Status
    reason: str
    until: datetime | None
    actor: User | None
    source: str
    key: str | None = None


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ReasonRefused("Say why: the reason is kept.")
    if len(reason) > REASON_LENGTH or NUL in reason:
        raise ReasonRefused(f"A reason has at most {REASON_LENGTH} characters, and no NUL.")
    return reason


def _do(user_id: int, wanted: _Wanted, *, unless: Status | None = None, refusal: str = "") -> StatusOutcome:
    customer = living_customer(user_id)
    if wanted.key is not None and (known := StatusChange.objects.filter(key=wanted.key).first()):
        if (known.user_id, known.new) != (user_id, wanted.status):
            raise WrongStatus("This key was used for something else.")
        return StatusOutcome(customer, known, replayed=True)
    if wanted.until is not None and wanted.until <= clock.now():
        raise InvalidUntil
    if customer.status == unless:
        raise WrongStatus(refusal)
    if (customer.status, customer.status_until) == (wanted.status, wanted.until):
        return StatusOutcome(customer, None)
    return _change(customer, wanted)


def _change(customer: Customer, wanted: _Wanted) -> StatusOutcome:
    old = customer.status
    old_values = {"status": old, "until": _iso(customer.status_until)}
    customer.status, customer.status_until = wanted.status, wanted.until
    customer.status_reason = "" if wanted.status == Status.ACTIVE else wanted.reason
    customer.save(update_fields=["status", "status_reason", "status_until", "updated_at"])
    change = StatusChange.objects.create(
        user_id=customer.pk,
        old=old,
        new=wanted.status,
        reason=wanted.reason,
        until=wanted.until,
        actor=wanted.actor,
        source=wanted.source,
        key=wanted.key,
    )
    hooks.fire(STATUS_CHANGED, change_id=change.pk)
    if not wanted.source.startswith(JOB):
        record(
            action=ACTIONS[change.topic],
            actor=wanted.actor,
            resource=Resource.of(customer),
            old_values=old_values,
            new_values={"status": wanted.status, "until": _iso(wanted.until), "source": wanted.source or "by hand"},
            reason=wanted.reason,
        )
    return StatusOutcome(customer, change)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
