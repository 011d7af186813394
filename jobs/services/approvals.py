"""Requests for a second person: asked for once, decided once, done once."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction

from accounts.models import User
from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.money import plain_credits
from backoffice.lib.work import ApprovableVerb, approvable_verbs
from jobs import selectors
from jobs.errors import NotAllowed, NotYours, TokenReused, UnknownKind, WrongState
from jobs.models import Approval, ApprovalState
from jobs.services.limits import lock_staff

logger = structlog.get_logger(__name__)

# How long a request waits: longer, and whoever allows it no longer knows what it was about.
OPEN_FOR = timedelta(days=7)
EXPIRED_AT_ONCE = 500


@transaction.atomic
def request_approval(
    *,
    verb: str,
    params: Mapping[str, Any],
    amount: Decimal,
    resource: tuple[str, str],
    actor: User,
    reason: str,
    token: str,
) -> Approval:
    """Ask that a second person allow ``verb`` with ``params`` (which must fit JSON); once for each ``token``.

    ``amount`` is in the verb's unit; ``resource`` is type and id of what it is about; ``token`` is the key under which
    the act would be counted, so that it is either done or asked for. Raises UnknownKind, NotAllowed, TokenReused.
    """
    # The act under this key queues here: either it is counted by now, or it finds the request.
    lock_staff(actor)
    known = _verb(verb)
    if not actor.has_perm(known.permission):
        raise NotAllowed
    if selectors.is_used(token):
        raise TokenReused("This was done before: nobody was asked to allow it once more.")
    approval, created = Approval.objects.get_or_create(
        token=token,
        defaults={
            "verb": verb,
            "params": dict(params),
            "amount": amount,
            "resource_type": resource[0],
            "resource_id": resource[1],
            "requested_by": actor,
            "reason": reason,
            "expires_at": clock.now() + OPEN_FOR,
        },
    )
    if created:
        _record(Action.APPROVAL_REQUESTED, approval, actor, reason)
    elif (approval.verb, approval.params, approval.requested_by_id) != (verb, dict(params), actor.pk):
        raise TokenReused
    return approval


@transaction.atomic
def approve(*, approval_id: int, actor: User, reason: str = "") -> Approval:
    """Allow a request as the second person, and do it at once, against one's own limit.

    What is refused when it is to be done ends the request as failed, with the refusal as its outcome. Raises NotYours,
    NotAllowed, WrongState, and LimitExceeded, after which it still waits for somebody who may.
    """
    # People are locked before anything else; the verb locks the customer after its second person.
    lock_staff(actor)
    approval = _undecided(approval_id, actor)
    verb = _verb(approval.verb)
    try:
        if not (approval.requested_by.is_staff and approval.requested_by.has_perm(verb.permission)):
            raise NotAllowed
        # In a savepoint, so that the request can end although the act is refused.
        with transaction.atomic():
            outcome = verb.run(
                approval.params,
                requested_by=approval.requested_by,
                decided_by=actor,
                reason=approval.reason,
                key=f"admin:approval:{approval.pk}",
            )
        state = ApprovalState.APPROVED
    except NotAllowed:
        outcome, state = f"{approval.requested_by} may not do this any more.", ApprovalState.FAILED
    except verb.refusals as refusal:
        outcome, state = str(refusal), ApprovalState.FAILED
    _close(approval, state, actor, reason=reason, outcome=outcome)
    _record(Action.APPROVAL_APPROVED, approval, actor, reason)
    return approval


@transaction.atomic
def deny(*, approval_id: int, actor: User, reason: str) -> Approval:
    """Refuse a request as the second person. Raises NotYours, NotAllowed, WrongState."""
    approval = _undecided(approval_id, actor)
    _close(approval, ApprovalState.DENIED, actor, reason=reason)
    _record(Action.APPROVAL_DENIED, approval, actor, reason)
    return approval


@transaction.atomic
def withdraw(*, approval_id: int, actor: User) -> Approval:
    """Take back what one asked for oneself. Raises NotAllowed, WrongState."""
    approval = _locked(approval_id)
    if approval.requested_by_id != actor.pk:
        raise NotAllowed
    _check_pending(approval)
    _close(approval, ApprovalState.WITHDRAWN, None)
    _record(Action.APPROVAL_WITHDRAWN, approval, actor, "")
    return approval


def expire_approvals() -> int:
    """End the requests that nobody decided on in time; how many."""
    due = Approval.objects.filter(state=ApprovalState.PENDING, expires_at__lte=clock.now())
    expired = 0
    for approval_id in list(due.values_list("pk", flat=True)[:EXPIRED_AT_ONCE]):
        try:
            expired += _expire(approval_id)
        except Exception:
            # One that cannot end must not keep the others, and whatever is swept after them, from their end.
            logger.exception("a request did not expire", approval=approval_id)
    return expired


@transaction.atomic
def _expire(approval_id: int) -> bool:
    approval = _locked(approval_id)
    if approval.state != ApprovalState.PENDING:
        return False
    _close(approval, ApprovalState.EXPIRED, None)
    _record(Action.APPROVAL_EXPIRED, approval, None, "")
    return True


def _verb(key: str) -> ApprovableVerb:
    verb = approvable_verbs.get(key)
    if verb is None:
        raise UnknownKind(key)
    return verb


def _locked(approval_id: int) -> Approval:
    rows = Approval.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("requested_by").get(pk=approval_id)


def _undecided(approval_id: int, actor: User) -> Approval:
    approval = _locked(approval_id)
    if approval.requested_by_id == actor.pk:
        raise NotYours
    _check_pending(approval)
    if not selectors.may_decide(actor, approval):
        raise NotAllowed
    return approval


def _check_pending(approval: Approval) -> None:
    if approval.state != ApprovalState.PENDING or approval.expires_at <= clock.now():
        raise WrongState("This request was decided on meanwhile, or has expired.")


def _close(
    approval: Approval, state: ApprovalState, decider: User | None, *, reason: str = "", outcome: str = ""
) -> None:
    approval.state, approval.decided_by, approval.decided_at = state, decider, clock.now()
    approval.decision_reason, approval.outcome = reason[:500], outcome[:500]
    approval.save(update_fields=["state", "decided_by", "decided_at", "decision_reason", "outcome"])
    verb = approvable_verbs.get(approval.verb)
    if state != ApprovalState.APPROVED and verb and verb.given_up:
        verb.given_up(approval.params, f"{approval.get_state_display()}. {outcome or reason}".strip())


def _record(action: Action, approval: Approval, actor: User | None, reason: str) -> None:
    audit.record(
        action=action,
        actor=actor,
        resource=audit.Resource(approval.resource_type, approval.resource_id, f"approval {approval.pk}"),
        new_values={
            "approval": approval.pk,
            "verb": approval.verb,
            "amount": plain_credits(approval.amount),
            "state": approval.state,
            "requested_by": str(approval.requested_by),
            "outcome": approval.outcome,
        },
        reason=reason,
    )
