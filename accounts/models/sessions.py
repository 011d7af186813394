"""Browsers that staff are logged in with."""

import uuid

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from backoffice.lib import clock


class StaffSession(AbstractBaseSession):
    """A session as Django keeps it, with what its owner wants to know of it; without a user until somebody is in.

    Whoever deletes the row ends the session. The key is a login: pages and the log name a session by ``public_id``.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    started_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)

    class Meta:
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type:
        from accounts.login.session_store import SessionStore  # noqa: PLC0415 (it needs this model)

        return SessionStore
