"""Removing what is kept for a time only: in small transactions, so that nobody waits and a stop does no harm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit import services as audit
from audit.actions import Action
from backoffice.lib import clock
from backoffice.lib.retention import Retention, retentions

AT_ONCE = 2_000
Progress = Callable[[Retention, int], None]


@dataclass(frozen=True)
class Pruned:
    """What became of one sort of thing: ``before`` is None while all of it is kept."""

    retention: Retention
    before: datetime | None
    count: int


def to_prune() -> Sequence[Pruned]:
    """What `prune` would remove now. Counts all of it."""
    now = clock.now()
    found = ((retention, retention.before(now)) for retention in retentions)
    return [Pruned(retention, before, retention.count(before) if before else 0) for retention, before in found]


def prune(progress: Progress = lambda retention, removed: None) -> Sequence[Pruned]:
    """Remove what is older than its setting allows, and say how much of what. Safe to stop, and to run by two at once.

    The audit log has an entry before the first thing of a sort goes and one after the last: of a run that was stopped
    it has the first alone.
    """
    now = clock.now()
    return [_prune(retention, retention.before(now), progress) for retention in retentions]


def _prune(retention: Retention, before: datetime | None, progress: Progress) -> Pruned:
    if before is None:
        return Pruned(retention, None, 0)
    removed = _begin(retention, before)
    while removed and (more := retention.remove(before, AT_ONCE)):
        removed += more
        progress(retention, removed)
    if removed:
        _record(Action.PRUNE_FINISHED, retention, before, removed=removed)
    return Pruned(retention, before, removed)


@transaction.atomic
def _begin(retention: Retention, before: datetime) -> int:
    """The first of them, with the entry that says so; nothing is written when there are none."""
    removed = retention.remove(before, AT_ONCE)
    if removed:
        _record(Action.PRUNE_BEGUN, retention, before)
    return removed


@transaction.atomic
def _record(action: Action, retention: Retention, before: datetime, **values: int) -> None:
    audit.record(
        action=action,
        actor=None,
        resource=audit.Resource("retention", retention.key, retention.key),
        new_values={"older_than": before.isoformat(), retention.setting: retention.days, **values},
    )
