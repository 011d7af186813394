"""What happens elsewhere when something has happened here."""

from collections.abc import Callable, Mapping

import structlog
from django.db import transaction

logger = structlog.get_logger(__name__)


class Hooks:
    """Tells who listens, after the commit and by ids only.

    A hook may be lost with the process, so whoever listens also sweeps for what it was not told.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, dict[str, Callable[..., None]]] = {}

    def on(self, event: str, key: str, handler: Callable[..., None]) -> None:
        """Call ``handler`` with the event's ids after each commit that fires ``event``."""
        handlers = self._handlers.setdefault(event, {})
        if key in handlers:
            raise ValueError(f"hooks: {key!r} is registered twice for {event!r}")
        handlers[key] = handler

    def fire(self, event: str, **ids: int) -> None:
        """Tell the handlers once the transaction commits. What one of them raises is logged and hurts nobody."""
        for key, handler in self._handlers.get(event, {}).items():
            transaction.on_commit(_guarded(event, key, handler, ids))


def _guarded(event: str, key: str, handler: Callable[..., None], ids: Mapping[str, int]) -> Callable[[], None]:
    def run() -> None:
        try:
            handler(**ids)
        except Exception:  # (the act is done; a sweep makes up for what its hooks miss)
            logger.exception("a hook failed", hook_event=event, hook=key, **ids)

    return run


hooks = Hooks()
