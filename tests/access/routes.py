"""Every address pattern that the resolver knows, in one notation: ``/admin/accounts/role/<object_id>/change/``."""

import re
from collections.abc import Callable, Iterator

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

PLACE = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses() -> list[str]:
    """Each pattern once, sorted. Places are named without their converter, since only the name tells what goes in."""
    return sorted({PLACE.sub(r"<\1>", simplify_regex(route)) for route in _routes(get_resolver(), "")})


def _routes(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from _routes(entry, route)


def filled(address: str, value_of: Callable[[str, str], object]) -> str:
    """The address with ``value_of(address, name)`` in each of its places."""
    return PLACE.sub(lambda place: str(value_of(address, place[1])), address)
