"""Whom a session lets in: asked once for each request, for all pages alike."""

from collections.abc import Callable
from typing import Any, TypeVar

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts import selectors
from accounts.login.visitor import session_of
from accounts.models import User
from backoffice.lib.background import is_background

LAPSED = "You were logged out: nobody was at it for a while, or it was open for too long."

V = TypeVar("V", bound=Callable[..., Any])


def before_second_factor(view: V) -> V:
    """Mark a view that a member without a second factor may use where one is required: to enrol, and to leave."""
    view.is_before_second_factor = True  # type: ignore[attr-defined]
    return view


def admitted(request: HttpRequest) -> User | AnonymousUser:
    """The member of staff whom the session lets in, or nobody.

    Where a second factor is required, a session that has not proven one is nobody's: it was opened by the password
    alone, before the enrolment, or by another way in. Only whoever has no factor yet is let into the enrolment.
    """
    user = get_user(request)
    if not user.is_authenticated:
        if session_of(request).lapsed:
            messages.info(request, LAPSED, fail_silently=True)
        return user
    if not is_background(request):
        session_of(request).seen()
    if is_proven(request, user) or (_is_open(request) and not selectors.has_second_factor(user)):
        return user
    return AnonymousUser()


def waiting(request: HttpRequest) -> User | None:
    """The member who passed the password in this session and is not let in yet."""
    user = get_user(request)
    return user if user.is_authenticated and not is_proven(request, user) else None


def is_proven(request: HttpRequest, user: User) -> bool:
    """Whether the session has shown a second factor of ``user``, or need not."""
    if not settings.STAFF_MFA_REQUIRED:
        return True
    return any(record["method"] == "mfa" for record in get_authentication_records(request, user))


def _is_open(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and getattr(match.func, "is_before_second_factor", False))
