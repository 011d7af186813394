"""Writing the audit log."""

import json
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
# By hand, since every act of staff waits for it, and the ORM took twice as long to write the same.
WRITE = """
INSERT INTO audit_auditentry (at, actor_id, actor_label, action, resource_type, resource_id, resource_label,
                              old_values, new_values, reason, ip, user_agent, request_id)
VALUES (%(at)s, %(actor_id)s, %(actor_label)s, %(action)s, %(resource_type)s, %(resource_id)s, %(resource_label)s,
        %(old_values)s, %(new_values)s, %(reason)s, %(ip)s, %(user_agent)s, %(request_id)s)
"""


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
) -> None:
    """Write one entry, in the transaction of the act it tells of; ``actor`` None is the system itself.

    Values must fit JSON; ``using`` is the connection of an act of the tables' owner. Raises OutsideTransaction when
    there is no transaction to share.
    """
    connection = transaction.get_connection(using)
    if not connection.in_atomic_block:
        raise OutsideTransaction
    origin = context.current()
    entry = {
        "at": clock.now(),
        "actor_id": actor.pk if actor else None,
        "actor_label": _label(actor, origin),
        "action": str(action),
        "resource_type": resource.type,
        "resource_id": resource.id,
        "resource_label": resource.label,
        "old_values": json.dumps(dict(old_values or {})),
        "new_values": json.dumps(dict(new_values or {})),
        "reason": reason,
        "ip": origin.ip,
        "user_agent": origin.user_agent,
        "request_id": origin.request_id,
    }
    with transaction.mark_for_rollback_on_error(using), connection.cursor() as cursor:
        cursor.execute(WRITE, entry)


def _label(actor: models.Model | None, origin: context.RequestContext) -> str:
    """Who it was, and the API key through which."""
    through = f" through API key {origin.api_key}" if origin.api_key else ""
    name = str(actor) if actor else SYSTEM
    return name[: LABEL_LENGTH - len(through)] + through
