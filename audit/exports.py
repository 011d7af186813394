"""The audit log as a file."""

from collections.abc import Sequence

from django.db.models import F

from audit.actions import Action
from audit.models import AuditEntry
from backoffice.lib.csv import Column, UtcText
from backoffice.lib.exports import Export


def _columns() -> Sequence[Column]:
    return (
        Column("Seq", "seq"),
        Column("Date", UtcText(F("at"))),
        Column("Staff", "actor_label"),
        Column("Action", "action"),
        Column("Resource Type", "resource_type"),
        Column("Resource", "resource_id"),
        Column("Old Values", "old_values"),
        Column("New Values", "new_values"),
        Column("Reason", "reason"),
        Column("IP", "ip"),
        Column("Request", "request_id"),
        Column("Hash", "hash"),
    )


AUDIT = Export(
    key="audit",
    label="Audit log",
    permission="audit.export_auditentry",
    action=Action.AUDIT_EXPORTED,
    needs_step_up=True,
    rows=AuditEntry.objects.all,
    columns=_columns,
    formats=("csv", "json"),
    order=90,
)
