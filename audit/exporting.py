"""Taking rows along as CSV: with a permission of its own, in the audit log, at once or as a job."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.http import HttpRequest, QueryDict, StreamingHttpResponse

from audit.services import Resource, record
from backoffice.lib import clock, csv, json_file, statements
from backoffice.lib.exports import Export, Format, exports
from backoffice.lib.work import JobKind, Running, job_kinds

JOB_PREFIX = "export."
# How many rows pass between two notes on how far a job is.
NOTED_ROWS = 20_000
# Filters as the address of a list has them.
Filters = Mapping[str, Sequence[str]]


class ExportRefused(Exception):
    """Who asked for the file may not have it any more."""


def offer(export: Export) -> None:
    """Offer an export to the API and the lists, and as a kind of job. Called from an app's ``offers``."""
    exports.register(export)
    job_kinds.register(
        JobKind(
            key=f"{JOB_PREFIX}{export.key}",
            label=f"Export {export.label.lower()}",
            permission=export.permission,
            whole=lambda running: _write_result(export, running),
            refusals=(ExportRefused,),
            targets="rows",
        )
    )


def download(
    export: Export,
    *,
    actor: models.Model,
    rows: models.QuerySet[Any] | None = None,
    filters: Filters | None = None,
    format_: Format = "csv",
) -> StreamingHttpResponse:
    """The file as an answer, streamed; all rows unless told. The caller has asked for the permission."""
    with transaction.atomic():
        record_export(export, actor=actor, filters=filters or {}, format_=format_)
    found = export.rows() if rows is None else rows
    file = json_file if format_ == "json" else csv
    return file.response(found.order_by("pk"), export.columns(), name=export.key, now=clock.now())


def record_export(export: Export, *, actor: models.Model | None, filters: Filters, format_: Format = "csv") -> None:
    """Keep in the audit log who took which rows along."""
    options = export.model._meta
    record(
        action=export.action,
        actor=actor,
        resource=Resource(options.label_lower, "", str(options.verbose_name_plural)),
        new_values={
            "file": f"{export.key}.{format_}",
            "filters": {key: list(values) for key, values in filters.items()},
        },
    )


def _write_result(export: Export, running: Running) -> None:
    """Write the file as the result of a job. It is the same job when it is done again."""
    actor = get_user_model().objects.filter(pk=running.actor_id or 0).first()
    if not (actor and actor.is_active and actor.has_perm(export.permission)):
        raise ExportRefused(f"{actor} may not export {export.label.lower()} any more.")
    rows = narrowed(export, actor, running.params.get("filters", {})).order_by("pk")
    if running.targets.exists():
        # Rows that were chosen one by one, or by a filter at the time.
        rows = rows.filter(pk__in=running.targets)
    progress = _Progress(running, expected=_estimate(rows))
    # The job's notes go over the connection that all use; COPY keeps one to itself.
    aside = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with running.result(csv.file_name(export.key, clock.now())) as file:
            chunks = csv.stream(rows, export.columns(), connection=aside, tell=progress.more)
            file.writelines(chunks)
    finally:
        aside.close()
    progress.tell_all()


def narrowed(export: Export, actor: Any, filters: Filters) -> models.QuerySet[Any]:
    """The rows that the list of the admin shows to ``actor`` under these filters; all of them without any."""
    if not filters:
        return export.rows()
    request: Any = HttpRequest()
    request.method, request.user = "GET", actor
    request.GET = QueryDict(urlencode(filters, doseq=True))
    return filtered(admin.site.get_model_admin(export.model), request)


def filtered(model_admin: Any, request: HttpRequest) -> models.QuerySet[Any]:
    """The rows of a list as its address narrows it. Raises IncorrectLookupParameters."""
    rows: models.QuerySet[Any] = model_admin.get_changelist_instance(request).get_queryset(request)
    return rows


class _Progress:
    """Counts rows as they pass, and tells now and then."""

    def __init__(self, running: Running, *, expected: int) -> None:
        self._running, self._expected, self._rows = running, expected, 0

    def more(self, rows: int) -> None:
        self._rows += rows
        if self._rows // NOTED_ROWS > (self._rows - rows) // NOTED_ROWS:
            self._running.progress(self._rows, max(self._expected, self._rows))

    def tell_all(self) -> None:
        self._running.progress(self._rows, self._rows)
        self._running.say(f"{self._rows:,} rows.")


def _estimate(rows: models.QuerySet[Any]) -> int:
    """How many rows the planner expects: to count them would take as long as to write them."""
    with connections[rows.db].cursor() as cursor:
        query, params = statements.select(rows.values("pk").order_by())
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", params)
        ((plan,),) = cursor.fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])
