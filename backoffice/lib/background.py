"""Requests that a page makes by itself. They keep no session alive: nobody may be at the browser any more."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest

HEADER = "X-Background"

V = TypeVar("V", bound=Callable[..., object])


def background(view: V) -> V:
    """Mark a view that pages poll, such as the progress of a job."""
    view.is_background = True  # type: ignore[attr-defined]
    return view


def is_background(request: HttpRequest) -> bool:
    """Whether the view is marked, or the page said so: ``X-Background: 1``, by ``hx-headers`` or ``fetch``."""
    match = request.resolver_match
    return request.headers.get(HEADER) == "1" or bool(match and getattr(match.func, "is_background", False))
