"""Who asks the API: a program with a key, and the member of staff in whose name it acts."""

from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts import selectors
from accounts.models import ApiKey, Scope, User
from accounts.services import touch_api_key
from audit import context
from backoffice.lib.api import limits
from backoffice.lib.api.errors import ApiError

# No key is longer; the rest is not worth hashing.
LONGEST_KEY = 200


class ApiKeyAuth(HttpBearer):
    """Lets in a live key with ``scope``: 401 without one, 403 without the scope, 429 above its limit.

    Sets ``request.auth`` to the key and ``request.user`` to its member of staff, who is nobody for a key of the
    product. A cookie counts for nothing here.
    """

    scope: ClassVar[Scope]

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        # What the cookie of a browser says must not be asked by anything further on.
        request.user = AnonymousUser()
        key = selectors.key_by_secret(token) if 0 < len(token) <= LONGEST_KEY else None
        if key is None:
            return None
        request.user = key.staff or AnonymousUser()
        context.asked_by_key(key.prefix)
        structlog.contextvars.bind_contextvars(api_key=key.prefix)
        limits.enforce(key.key_hash[:32], settings.API_STAFF_RATE_LIMIT if key.staff else settings.API_RATE_LIMIT)
        if not key.grants(self.scope):
            raise ApiError(403, "wrong_scope", f"This key has not the scope {self.scope.value}.")
        touch_api_key(key)
        return key


class IngestKey(ApiKeyAuth):
    """A key of the product."""

    scope = Scope.INGEST
    openapi_description = "scope ingest"


class ReadKey(ApiKeyAuth):
    """A key by which a member of staff looks."""

    scope = Scope.READ
    openapi_description = "scope read"


class AdminKey(ApiKeyAuth):
    """A key by which a member of staff acts."""

    scope = Scope.ADMIN
    openapi_description = "scope admin"


def client_of(request: HttpRequest) -> ApiKey:
    """The key that asks, inside an endpoint."""
    key: Any = request.auth  # type: ignore[attr-defined]
    return key


def require_permission(request: HttpRequest, permission: str) -> User:
    """The member of staff in whose name the key acts, who must have ``permission``. Raises ApiError 403."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(permission):
        raise ApiError(403, "permission_missing", f"The key's member of staff may not do that: {permission}.")
    return user
