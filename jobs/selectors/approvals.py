"""Requests that wait for a second person."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from backoffice.lib.work import approvable_verbs
from jobs.models import Approval, ApprovalState

DECIDE = "jobs.decide_approval"
# A badge says no more than "many".
MOST_COUNTED = 100


def _verbs_open_to(user: Any) -> list[str]:
    return [verb.key for verb in approvable_verbs if user.has_perm(verb.permission)]


def waiting_for(user: Any) -> QuerySet[Approval]:
    """What waits for this person's decision: others' requests of verbs that they may do themselves."""
    if not user.has_perm(DECIDE):
        return Approval.objects.none()
    pending = Approval.objects.filter(state=ApprovalState.PENDING, verb__in=_verbs_open_to(user))
    return pending.exclude(requested_by=user.pk)


def count_waiting_for(user: Any) -> int:
    """How many requests wait for this person, counted to a hundred."""
    return waiting_for(user)[:MOST_COUNTED].count()


def may_decide(user: Any, approval: Approval) -> bool:
    """Whether ``user`` can be the second person of a request that waits."""
    verb = approvable_verbs.get(approval.verb)
    return (
        verb is not None
        and approval.state == ApprovalState.PENDING
        and approval.requested_by_id != user.pk
        and user.has_perm(DECIDE)
        and user.has_perm(verb.permission)
    )


def request_made_with(token: str) -> Approval | None:
    """The request that was made under this token, whatever became of it."""
    return Approval.objects.filter(token=token).first()


def decided_lately(user: Any, *, since: datetime) -> QuerySet[Approval]:
    """What became of this person's requests after ``since`` (UTC), the newest decision first."""
    decided = Approval.objects.filter(requested_by=user.pk, decided_by__isnull=False, decided_at__gte=since)
    return decided.order_by("-decided_at")


def pending_about(*, resource_type: str, resource_id: str) -> QuerySet[Approval]:
    """What waits for a decision about one thing, oldest first."""
    about = Approval.objects.filter(resource_type=resource_type, resource_id=resource_id, state=ApprovalState.PENDING)
    return about.select_related("requested_by").order_by("created_at")
