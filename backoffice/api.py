"""The product's API, under /api/v1/: the routers of all apps, one table of errors each, and the documentation."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path, reverse
from ninja import NinjaAPI

from accounts import api as accounts
from backoffice.lib.api.bodies import StrictParser
from backoffice.lib.api.errors import install
from backoffice.lib.api.reference import Reference, reference_of
from credits import api as credits
from jobs import api as jobs

TITLE = "Back office API"
DESCRIPTION = (
    "What your product tells the back office and asks of it. Every request carries a key: "
    "`Authorization: Bearer <key>`. Times are ISO 8601 in UTC, amounts of credits are decimal strings, "
    'and every failure is `{"error": {"code", "message", "details"}}`. '
    "Begin with `docs/integrate.md`, which goes from a key to a first charge by examples to run."
)

api = NinjaAPI(
    title=TITLE,
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    # The page that comes with it needs inline styles, which our policy refuses; see docs() for ours.
    docs_url=None,
    parser=StrictParser(),
)
api.add_router("users", accounts.users)
api.add_router("users", credits.balances)
api.add_router("events", accounts.events)
api.add_router("credits", credits.charges)
api.add_router("credits/holds", credits.holds)
api.add_router("webhooks", jobs.webhooks)
api.add_router("admin/users", accounts.make_staff_users())
api.add_router("admin/credits", credits.staff)
api.add_router("admin/export", accounts.exports)
api.add_router("admin/audit", accounts.audit_logs)
install(api, [accounts.errors, jobs.errors, credits.errors])


@cache
def _reference() -> Reference:
    return reference_of(api.get_openapi_schema())


def docs(request: HttpRequest) -> HttpResponse:
    """The documentation, rendered here from the same description that programs read."""
    context: dict[str, Any] = {"reference": _reference(), "openapi_url": reverse("api:openapi-json")}
    return render(request, "api/docs.html", context)


urlpatterns: list[URLPattern | URLResolver] = [path("docs", docs, name="api-docs"), path("", api.urls)]
