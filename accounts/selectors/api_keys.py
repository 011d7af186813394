"""Reads of API keys."""

from hashlib import sha256

from django.db.models import Q, QuerySet

from accounts.models import ApiKey, Status


def hash_of(secret: str) -> str:
    """What is kept of a key."""
    return sha256(secret.encode()).hexdigest()


def key_by_secret(secret: str) -> ApiKey | None:
    """The live key that this is, with its member of staff; one query.

    A revoked key is dead, and so is one whose member of staff works here no more, is suspended or banned.
    """
    owner_may_act = Q(staff__isnull=True) | Q(staff__is_staff=True, staff__status=Status.ACTIVE)
    return (
        ApiKey.objects.select_related("staff")
        .filter(owner_may_act, key_hash=hash_of(secret), revoked_at__isnull=True)
        .first()
    )


def key_list() -> QuerySet[ApiKey]:
    """All keys with their people."""
    return ApiKey.objects.select_related("staff", "created_by")
