"""Writing the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models, transaction

from audit import context
from audit.errors import OutsideTransaction
from audit.models import AuditEntry
from backoffice.lib import clock

SYSTEM = "system"
LABEL_LENGTH = AuditEntry._meta.get_field("actor_label").max_length or 0
# Evidence is kept for ever and personal data is not: the log says that such a value was there, not which.
WITHHELD = "(withheld)"


@dataclass(frozen=True)
class Resource:
    """What was acted on. ``label`` is an id that a person can use, never personal data."""

    type: str
    id: str
    label: str

    @classmethod
    def of(cls, instance: models.Model) -> "Resource":
        """A record of any model: ``accounts.user`` 12, whichever proxy it came through."""
        concrete = instance._meta.concrete_model or type(instance)
        return cls(concrete._meta.label_lower, str(instance.pk), f"{concrete._meta.verbose_name} {instance.pk}")


def record(
    *,
    action: str,
    actor: models.Model | None,
    resource: Resource,
    old_values: Mapping[str, Any] | None = None,
    new_values: Mapping[str, Any] | None = None,
    reason: str = "",
    using: str = DEFAULT_DB_ALIAS,
) -> AuditEntry:
    """Write one entry, in the transaction of the act it tells of; ``actor`` None is the system itself.

    Values must fit JSON; ``using`` is the connection of an act of the tables' owner. Raises OutsideTransaction when
    there is no transaction to share.
    """
    if not transaction.get_connection(using).in_atomic_block:
        raise OutsideTransaction
    origin = context.current()
    return AuditEntry.objects.using(using).create(
        at=clock.now(),
        actor_id=actor.pk if actor else None,
        actor_label=_label(actor, origin),
        action=action,
        resource_type=resource.type,
        resource_id=resource.id,
        resource_label=resource.label,
        old_values=dict(old_values or {}),
        new_values=dict(new_values or {}),
        reason=reason,
        ip=origin.ip,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
    )


def _label(actor: models.Model | None, origin: context.RequestContext) -> str:
    """Who it was, and the API key through which."""
    through = f" through API key {origin.api_key}" if origin.api_key else ""
    name = str(actor) if actor else SYSTEM
    return name[: LABEL_LENGTH - len(through)] + through
