"""``admin/export/{name}``: whole tables as CSV, for a member of staff by program."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Router

from accounts.authentication import ReadKey, require_permission
from audit.exporting import download
from backoffice.lib.api.errors import ApiError
from backoffice.lib.api.responses import answers
from backoffice.lib.exports import exports

router = Router(tags=["Staff: exports"], auth=ReadKey())

CSV = {"description": "The rows as CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}


@router.get(
    "/{name}",
    response=answers({}, 404),
    openapi_extra={"responses": {200: CSV}},
    summary="Export as CSV",
)
def export(
    request: HttpRequest,
    name: str = Path(..., description=f"One of: {', '.join(export.key for export in exports)}."),
) -> Any:
    """Streams the file as it stands at one moment, named `users_2026-01-31.csv` and so on. Needs the permission to
    export these rows; each export is in the audit log. Cells that a spreadsheet would run begin with `'`."""
    found = exports.get(name)
    if found is None:
        raise ApiError(404, "unknown_export", f"There is no export of this name: {name}.")
    actor = require_permission(request, found.permission)
    return download(found, actor=actor)
