"""Making and ending API keys."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from accounts.errors import KeyRefused, KeyRevoked
from accounts.models import STAFF_SCOPES, ApiKey, Scope, User
from accounts.selectors import api_keys
from audit.actions import Action
from audit.services import Resource, record
from backoffice.lib import clock

KEY_PREFIX = "bo_"
KEY_BYTES = 32
SHOWN_PREFIX = len(KEY_PREFIX) + 8
NAME_LENGTH = ApiKey._meta.get_field("name").max_length or 0
# A key in heavy use would else rewrite its row at each request.
USED_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. ``secret`` is the key itself, which nobody can ever read again."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        # Whatever prints this, a traceback included, must not print the secret.
        return f"NewKey({self.key})"


@transaction.atomic
def create_api_key(
    *, name: str, scopes: Collection[str], staff: User | None, actor: User | None, reason: str = ""
) -> NewKey:
    """Make a key: scope ``ingest`` for nobody, ``read`` and ``admin`` in the name of ``staff``.

    ``actor`` None is somebody at the server's shell. Raises KeyRefused.
    """
    name = name.strip()
    _check(name, scopes, staff)
    secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    key = ApiKey.objects.create(
        name=name,
        prefix=secret[:SHOWN_PREFIX],
        key_hash=api_keys.hash_of(secret),
        scopes=sorted(set(scopes)),
        staff=staff,
        created_by=actor,
    )
    record(
        action=Action.API_KEY_CREATED,
        actor=actor,
        resource=Resource.of(key),
        new_values={"prefix": key.prefix, "scopes": key.scopes, "staff": key.staff_id},
        reason=reason,
    )
    return NewKey(key, secret)


def _check(name: str, scopes: Collection[str], staff: User | None) -> None:
    if not name or len(name) > NAME_LENGTH or "\x00" in name:
        raise KeyRefused(f"A key needs a name of at most {NAME_LENGTH} characters.")
    if not scopes or set(scopes) - set(Scope.values):
        raise KeyRefused(f"A key's scopes are among {', '.join(Scope.values)}.")
    if Scope.INGEST in scopes and len(set(scopes)) > 1:
        raise KeyRefused("Ingest is the product's and stands alone: make a key of its own for the staff side.")
    if Scope.INGEST in scopes and staff is not None:
        raise KeyRefused("A key of the product acts in nobody's name.")
    if set(scopes) & set(STAFF_SCOPES) and staff is None:
        raise KeyRefused("A key with the scope read or admin acts in the name of a member of staff: name one.")
    if staff is not None and not (staff.is_staff and staff.is_active):
        raise KeyRefused("A key acts only for a member of staff who may log in.")


@transaction.atomic
def revoke_api_key(*, key_id: int, actor: User, reason: str) -> ApiKey:
    """End a key for good, at once. Raises KeyRevoked when it is ended, ApiKey.DoesNotExist."""
    key = ApiKey.objects.select_for_update(no_key=True).get(pk=key_id)
    if key.revoked_at is not None:
        raise KeyRevoked
    key.revoked_at = clock.now()
    key.save(update_fields=["revoked_at"])
    record(
        action=Action.API_KEY_REVOKED,
        actor=actor,
        resource=Resource.of(key),
        new_values={"revoked_at": key.revoked_at.isoformat()},
        reason=reason,
    )
    return key


def touch_api_key(key: ApiKey) -> None:
    """Note that a key is in use, at most once a minute."""
    now = clock.now()
    if key.last_used_at is not None and key.last_used_at > now - USED_RESOLUTION:
        return
    # Of many requests that read the same old time, one writes.
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USED_RESOLUTION)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
