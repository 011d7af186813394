"""What no library does for us: a response header, and a refusal of what the database cannot hold."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Deny the browser features that no page uses."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 400 to a NUL in the path, the query or a cookie: PostgreSQL keeps it in no text and fails the query.

    The fields of forms refuse it by themselves, with a word beside the field.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if _holds_nul(request):
            return bad_request(request, BadRequest("The request holds a NUL"))
        return get_response(request)

    return middleware


def _holds_nul(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    return "%00" in query or any("\0" in text for text in (request.path_info, query, *request.COOKIES.values()))
