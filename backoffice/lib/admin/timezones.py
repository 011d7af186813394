"""Times are shown in the zone of the browser, which our script tells in a cookie."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "timezone"


def staff_timezone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show times of this request in the zone that the cookie names, or in UTC."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_named(request.COOKIES.get(COOKIE, ""))):
            return get_response(request)

    return middleware


def zone_named(name: str) -> ZoneInfo:
    """The zone of this IANA name; UTC if there is none."""
    # Looked up in a list, since ZoneInfo itself would take the name for a path.
    return ZoneInfo(name if name in _zones() else "UTC")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
