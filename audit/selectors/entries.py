"""Reads of the audit log."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from audit.models import AuditEntry
from backoffice.lib.loose_scan import values_of

MOST_TYPES = 200


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """What entries must fit; empty is no demand. ``since`` is included, ``until`` is not."""

    actor_id: int | None = None
    action: str = ""
    resource_type: str = ""
    resource_id: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


def entries(wanted: EntryFilter) -> QuerySet[AuditEntry]:
    """The entries that fit."""
    found = AuditEntry.objects.all()
    exact = {
        "actor_id": wanted.actor_id,
        "action": wanted.action,
        "resource_type": wanted.resource_type,
        "resource_id": wanted.resource_id,
        "request_id": wanted.request_id,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    return found.filter(at__lt=wanted.until) if wanted.until else found


def entries_about(*, resource_type: str, resource_id: str) -> QuerySet[AuditEntry]:
    """What was done to one thing, newest first."""
    return AuditEntry.objects.filter(resource_type=resource_type, resource_id=resource_id).order_by("-at", "-id")


def entry_with(*, resource_type: str, resource_id: str, name: str, value: int) -> AuditEntry | None:
    """The first entry about a thing that keeps ``value`` under ``name`` among its new values."""
    about = entries_about(resource_type=resource_type, resource_id=resource_id)
    return about.filter(**{f"new_values__{name}": value}).order_by("at", "id").first()


def resource_types() -> list[str]:
    """The types of what was acted on so far."""
    return values_of(AuditEntry, "resource_type", limit=MOST_TYPES)
