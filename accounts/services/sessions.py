"""Ending sessions. Ban, suspension, demotion and a new password end them too: the database sees to that."""

from uuid import UUID

from django.db import transaction

from accounts.models import StaffSession, User
from audit.actions import Action
from audit.services import Resource, record


@transaction.atomic
def end_session(*, member: User, public_id: str, actor: User) -> bool:
    """End one session of ``member``; False when it is over already, or there never was one of this name."""
    try:
        UUID(public_id)
    except ValueError:
        return False
    ended, _ = StaffSession.objects.filter(user=member, public_id=public_id).delete()
    if ended:
        _tell(member, actor, [public_id])
    return bool(ended)


@transaction.atomic
def end_sessions(*, member: User, actor: User, except_for: str = "") -> int:
    """End the sessions of ``member``, all but the one with the public id ``except_for``; how many there were."""
    sessions = StaffSession.objects.select_for_update().filter(user=member).order_by("session_key")
    if except_for:
        sessions = sessions.exclude(public_id=except_for)
    ended = [str(public_id) for public_id in sessions.values_list("public_id", flat=True)]
    StaffSession.objects.filter(user=member, public_id__in=ended).delete()
    if ended:
        _tell(member, actor, ended)
    return len(ended)


def _tell(member: User, actor: User, public_ids: list[str]) -> None:
    record(
        action=Action.SESSION_ENDED,
        actor=actor,
        resource=Resource.of(member),
        old_values={"sessions": public_ids},
    )
