"""Around the API: what fails outside an endpoint is answered in the API's own words too."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from backoffice.lib.api.errors import CODES, ApiError, respond

PREFIX = "/api/v1/"
ENVELOPED = "application/json"


def api_answers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Under the API's address every failure is an envelope, and nothing is kept by a cache on the way."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        try:
            response = _refused(request) or _enveloped(get_response(request))
        finally:
            # The thread serves others next, whose log lines must not name this request's key.
            structlog.contextvars.unbind_contextvars("api_key")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def _refused(request: HttpRequest) -> HttpResponse | None:
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        # Django reads no body without one.
        message = "Send the body whole, with a Content-Length, instead of in chunks."
        return respond(ApiError(400, "length_missing", message))
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return respond(ApiError(422, "nul_in_text", "The address holds the character NUL, which cannot be kept."))
    return None


def _enveloped(response: HttpResponse) -> HttpResponse:
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith(ENVELOPED):
        return response
    status = response.status_code if response.status_code in CODES else 400 if response.status_code < 500 else 500
    answer = respond(ApiError.plain(status))
    # Which methods an address takes is said in Allow.
    for name in response.headers.keys() - {"Content-Type", "Content-Length"}:
        answer.headers[name] = response.headers[name]
    answer.cookies = response.cookies
    return answer
