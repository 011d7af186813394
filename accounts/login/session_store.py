"""The engine of sessions (``SESSION_ENGINE``): Django's own over rows that know whose they are and when they end."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from accounts.models import StaffSession
from audit import context
from backoffice.lib import clock

# Each request moves the time at which a session was last seen, but not each one writes it down.
SEEN_RESOLUTION = timedelta(minutes=1)


class SessionStore(db.SessionStore):
    """``lapsed`` tells of a session that was there and had ended by itself."""

    lapsed = False
    _row: StaffSession | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    @property
    def started_at(self) -> datetime | None:
        """When somebody logged in with this session; None before it is kept."""
        row = self._loaded()
        return row.started_at if row else None

    @property
    def public_id(self) -> str:
        """The session's name on pages and in the log."""
        row = self._loaded()
        return str(row.public_id) if row else ""

    def _loaded(self) -> StaffSession | None:
        # Asking for what it holds loads it.
        self.keys()
        return self._row

    def seen(self) -> None:
        """Somebody is at the browser."""
        now = clock.now()
        if self._row and now - self._row.last_seen_at >= SEEN_RESOLUTION:
            StaffSession.objects.filter(session_key=self.session_key).update(last_seen_at=now)
            self._row.last_seen_at = now

    def cycle_key(self) -> None:
        """A new key. Whoever is logged in stays so for as long as they would have with the old one."""
        started = self.started_at if SESSION_KEY in self else None
        self._row = None
        super().cycle_key()
        if self._row and started:
            self._row.started_at = started

    def flush(self) -> None:
        super().flush()
        self._row = None

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        row = cast(StaffSession, super().create_model_instance(data))
        if self._row is None:
            origin = context.current()
            row.ip, row.user_agent = origin.ip, origin.user_agent
        else:
            for name in ("public_id", "started_at", "last_seen_at", "ip", "user_agent"):
                setattr(row, name, getattr(self._row, name))
        row.user_id = data.get(SESSION_KEY)
        self._row = row
        return row

    def _get_session_from_db(self) -> StaffSession | None:
        row: StaffSession | None = super()._get_session_from_db()  # type: ignore[misc]
        if row is not None and _is_over(row):
            self.lapsed, self._session_key = row.user_id is not None, None
            return None
        self._row = row
        return row


def _is_over(row: StaffSession) -> bool:
    now = clock.now()
    age = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return now - row.last_seen_at >= settings.SESSION_IDLE_AGE or now - row.started_at >= age
