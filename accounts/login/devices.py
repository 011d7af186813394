"""Browsers that somebody has logged in with before, by a signed cookie. It lets nobody in; it only counts apart."""

import hashlib
import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

SALT = "accounts.login.devices"
KEPT_FOR_SECONDS = 180 * 24 * 60 * 60
# People who share a browser.
MOST_PEOPLE = 5


def known(request: HttpRequest, email: str) -> str:
    """The id of this browser if the person with ``email`` has logged in with it, else nothing."""
    return _people(request).get(_mark(email), "")


def remember(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Know the browser again when the person with ``email`` comes back."""
    others = {mark: device for mark, device in _people(request).items() if mark != _mark(email)}
    latest = dict(list(others.items())[-(MOST_PEOPLE - 1) :])
    people = {**latest, _mark(email): known(request, email) or secrets.token_urlsafe(12)}
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(people, salt=SALT),
        max_age=KEPT_FOR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _people(request: HttpRequest) -> dict[str, str]:
    try:
        people: dict[str, str] = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=KEPT_FOR_SECONDS
        )
    except signing.BadSignature:
        return {}
    return people


def _mark(email: str) -> str:
    return hashlib.sha256(email.lower().encode()).hexdigest()[:32]
