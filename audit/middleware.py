"""Tells the audit log and the log lines which request they belong to."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from audit.context import RequestContext, serving
from backoffice.lib.client_address import client_address

# A caller's id is taken over only if it can do no harm in a log line or a page.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Set the request context and answer with the request's id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        context = _context_of(request)
        with serving(context), structlog.contextvars.bound_contextvars(request_id=context.request_id):
            response = get_response(request)
        response.headers["X-Request-ID"] = context.request_id
        return response

    return middleware


def _context_of(request: HttpRequest) -> RequestContext:
    given = request.headers.get("X-Request-ID", "")
    return RequestContext(
        ip=client_address(
            request.META.get("REMOTE_ADDR", ""),
            request.headers.get("X-Forwarded-For", ""),
            settings.TRUSTED_PROXIES,
        ),
        user_agent=request.headers.get("User-Agent", "").replace("\x00", "")[:400],
        request_id=given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex,
    )
