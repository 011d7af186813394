"""The roles that the product begins with."""

from collections.abc import Iterable, Mapping, Sequence

from django.contrib.auth.models import Group, Permission
from django.db import connections, transaction

from accounts.models import DefaultRole
from audit.actions import Action
from audit.services import Resource, record


def apply_default_roles(defaults: Mapping[str, Sequence[str]], *, using: str) -> None:
    """Make the roles that are new in ``defaults`` (name -> permissions as ``app.codename``) and give what is new.

    Each role and each permission is given once, so that no edit by staff is undone; what does not exist yet is left
    for a later call. Two calls at once queue. ``using`` is the connection of whoever migrates.
    """
    with transaction.atomic(using=using):
        _queue(using)
        permissions = _permissions(defaults, using)
        for name, wanted in defaults.items():
            role = DefaultRole.objects.using(using).filter(pk=name).first()
            is_new = role is None
            role = role or _begin(name, using)
            _give(role, [permission for permission in wanted if permission in permissions], permissions, using, is_new)


def _queue(using: str) -> None:
    # Rows that are not there yet cannot be locked; readers go on.
    with connections[using].cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{DefaultRole._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')


def _permissions(defaults: Mapping[str, Sequence[str]], using: str) -> dict[str, Permission]:
    codenames = {name.partition(".")[2] for wanted in defaults.values() for name in wanted}
    found = Permission.objects.using(using).filter(codename__in=codenames).select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}": permission for permission in found}


def _begin(name: str, using: str) -> DefaultRole:
    group, is_ours = Group.objects.using(using).get_or_create(name=name)
    # A role of this name that staff made before is theirs: nothing is added to what it may do.
    return DefaultRole.objects.using(using).create(name=name, group=group if is_ours else None)


def _give(
    role: DefaultRole, wanted: Iterable[str], permissions: Mapping[str, Permission], using: str, is_new: bool
) -> None:
    due = [name for name in wanted if name not in role.applied]
    if not due:
        return
    role.applied = [*role.applied, *due]
    role.save(using=using, update_fields=["applied"])
    if role.group is None:
        return
    role.group.permissions.add(*(permissions[name] for name in due))
    if not is_new:
        # A release that widens a role tells of it; what the product begins with needs no entry.
        record(
            action=Action.DEFAULT_ROLES_EXTENDED,
            actor=None,
            resource=Resource.of(role.group),
            new_values={"added": due},
            reason="manage.py migrate",
            using=using,
        )
