"""``admin/audit/logs``: the audit log, for a member of staff by program.

It stands here and not in the log's own app, which is below the keys by which it is asked.
"""

from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field, StringConstraints

from accounts import selectors
from accounts.authentication import ReadKey, require_permission
from audit.actions import label_of
from audit.exporting import download
from audit.exports import AUDIT
from audit.models import AuditEntry
from audit.selectors import EntryFilter, entries
from backoffice.lib.api.pagination import PageQuery, page_of
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import UtcTime

router = Router(tags=["Staff: audit log"], auth=ReadKey())

SEE, EXPORT = "audit.view_auditentry", AUDIT.permission
FILE = {
    "description": "A page of entries, or with `format` csv a file of all of them",
    "content": {"text/csv": {"schema": {"type": "string"}}},
}

Text = Annotated[str, StringConstraints(max_length=254)]


class LogsQuery(PageQuery):
    """What narrows the log, all of it together."""

    staff: Annotated[Text, Field(description="Email of the member of staff who did it.")] = ""
    action: Annotated[Text, Field(description="Such as `credits.gift`.")] = ""
    resource_type: Annotated[Text, Field(description="Such as `accounts.user`.")] = ""
    resource_id: Text = ""
    request_id: Text = ""
    since: Annotated[UtcTime | None, Field(description="From this moment on.")] = None
    until: Annotated[UtcTime | None, Field(description="Before this moment.")] = None
    format: Literal["json", "csv"] = "json"


class LogEntryOut(BaseModel):
    id: int
    seq: int | None
    at: UtcTime
    staff: str
    action: str
    label: str
    resource_type: str
    resource_id: str
    resource: str
    old_values: dict[str, Any]
    new_values: dict[str, Any]
    reason: str
    ip: str | None
    user_agent: str
    request_id: str
    hash: str | None


class LogsOut(BaseModel):
    logs: list[LogEntryOut]
    next_cursor: str | None


@router.get(
    "/logs",
    response=answers({200: LogsOut}),
    openapi_extra={"responses": {200: FILE}},
    summary="What staff did",
)
def logs(request: HttpRequest, query: Annotated[LogsQuery, Query(...)]) -> Any:
    """Entries, newest first. `next_cursor` leads to older ones and is null at the end. Needs the permission to see the
    audit log; as a file (`format=csv`, all entries that fit, without pages) the one to export it, which is an entry of
    its own."""
    actor = require_permission(request, SEE)
    found = _found(query)
    if query.format == "csv":
        require_permission(request, EXPORT)
        return download(AUDIT, actor=actor, rows=found, filters=_told(query))
    page = page_of(found, query, scope="audit")
    return LogsOut(logs=[_entry(entry) for entry in page.rows], next_cursor=page.next_cursor)


def _found(query: LogsQuery) -> QuerySet[AuditEntry]:
    member = selectors.staff_by_email(query.staff) if query.staff else None
    if query.staff and member is None:
        return AuditEntry.objects.none()
    wanted = EntryFilter(
        actor_id=member.pk if member else None,
        action=query.action,
        resource_type=query.resource_type,
        resource_id=query.resource_id,
        request_id=query.request_id,
        since=query.since,
        until=query.until,
    )
    return entries(wanted)


def _told(query: LogsQuery) -> dict[str, list[str]]:
    told = query.model_dump(exclude={"limit", "cursor", "format"}, exclude_defaults=True)
    return {name: [str(value)] for name, value in told.items()}


def _entry(entry: AuditEntry) -> LogEntryOut:
    same = {name: getattr(entry, name) for name in LogEntryOut.model_fields if hasattr(entry, name)}
    return LogEntryOut(**same, staff=entry.actor_label, label=label_of(entry.action), resource=entry.resource_label)
