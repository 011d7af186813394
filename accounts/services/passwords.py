"""Passwords of staff. Each change ends the member's sessions: a trigger sees to that."""

from datetime import timedelta

from django.db import transaction

from accounts import selectors
from accounts.models import User
from audit.actions import Action
from audit.models import AuditEntry
from audit.services import WITHHELD, Resource, record
from backoffice.lib import clock

# So many mails to one member in so long: who asks for more only fills the mailbox.
MOST_MAILS, MAILS_WITHIN = 3, timedelta(hours=1)


@transaction.atomic
def change_own_password(*, member: User, password: str) -> None:
    """Set the password that ``member`` chose while logged in."""
    _set(member, password, Action.PASSWORD_CHANGED)


@transaction.atomic
def reset_own_password(*, member: User, password: str) -> None:
    """Set the password that ``member`` chose by the link in a mail."""
    _set(member, password, Action.PASSWORD_RESET)


def _set(member: User, password: str, action: Action) -> None:
    User.objects.select_for_update(no_key=True).get(pk=member.pk)
    member.set_password(password)
    member.save(update_fields=["password", "updated_at"])
    record(action=action, actor=member, resource=Resource.of(member), new_values={"password": WITHHELD})


@transaction.atomic
def ask_for_reset(*, email: str) -> User | None:
    """The member of staff to whom a link is to be mailed, or None.

    None also for whoever is suspended, was given no password at all, or has been sent enough mails this hour.
    """
    member = selectors.staff_by_email(email)
    if member is None or not member.is_active or not member.has_usable_password():
        return None
    # Two requests at once would both count the mails before them.
    User.objects.select_for_update(no_key=True).get(pk=member.pk)
    sent = AuditEntry.objects.filter(
        action=Action.PASSWORD_RESET_ASKED,
        resource_type=Resource.of(member).type,
        resource_id=str(member.pk),
        at__gt=clock.now() - MAILS_WITHIN,
    )
    if sent.count() >= MOST_MAILS:
        return None
    record(action=Action.PASSWORD_RESET_ASKED, actor=None, resource=Resource.of(member))
    return member
