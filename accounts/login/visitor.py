"""Who asks and by which session, in the types of this house."""

from typing import cast

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.login.session_store import SessionStore
from accounts.models import User


def member_of(request: HttpRequest) -> User:
    """The member of staff on a page that only they are let into."""
    return cast(User, request.user)


def session_of(request: HttpRequest) -> SessionStore:
    """The session, with what ours know more than Django's."""
    return cast(SessionStore, request.session)


def is_ours(request: HttpRequest, url: str) -> bool:
    """Whether ``url``, which came from outside, is the path of a page of ours."""
    hosts, is_secure = {request.get_host()}, request.is_secure()
    is_allowed = url_has_allowed_host_and_scheme(url, allowed_hosts=hosts, require_https=is_secure)
    return url.startswith("/") and "\0" not in url and is_allowed
