"""What apps keep for a time only. The app `jobs` goes over it, by command and every night."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from backoffice.lib.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Retention:
    """One sort of thing that is removed for its age.

    ``setting`` names the setting that says for how many days it is kept; 0 is for ever. ``remove(before, limit)``
    removes at most ``limit`` of what is older than ``before``, in one transaction, and returns how many; 0 is the end.
    It must do no harm when two do it at once. ``count(before)`` says how many there are.
    """

    key: str
    label: str
    setting: str
    count: Callable[[datetime], int]
    remove: Callable[[datetime, int], int]
    order: int = 100

    @property
    def days(self) -> int:
        """For how many days it is kept; 0: for ever."""
        return int(getattr(settings, self.setting))

    def before(self, now: datetime) -> datetime | None:
        """What is older than this goes; None while all of it is kept."""
        return now - timedelta(days=self.days) if self.days else None


retentions: Registry[Retention] = Registry("retentions")
