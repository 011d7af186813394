"""Reading Stripe's lists, so that what no delivery told of is booked too, by the same handlers.

Each object becomes an event of the inbox that tells how it stands. What was told before is not kept again, and what
somebody was promised to have forgotten is not brought back. Events of Stripe's own are kept as they are.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from backoffice.lib import clock
from billing import stripe_api
from billing.errors import BillingError, StripeCallFailed
from billing.models import SyncState
from billing.resources import RESOURCES, Resource
from billing.services.fetching import keep_page
from billing.stripe_lists import Page, PlaceLost, Reader, StripeUnavailable, last_id

NO_KEY = (
    "STRIPE_SECRET_KEY is not set, so Stripe cannot be asked. Ask whoever runs this back office to set it and restart."
)
# "sync": no other advisory lock of the house has this number.
LOCK = 0x73796E63
# A run that nobody took up for so long is begun anew.
GOES_ON_WITHIN = timedelta(days=7)


class SyncRefused(BillingError):
    """Nothing was read, for a reason that a reader understands."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What came of one list: how many objects were found, told something new, and wait for somebody to look."""

    label: str
    found: int
    new: int
    held_up: int
    error: str = ""

    def __str__(self) -> str:
        told = f"{self.label}: {self.found} found, {self.new} new"
        told += f", {self.held_up} of them parked or failed" if self.held_up else ""
        return f"{told}. {self.error}" if self.error else told


def _nobody(*_: Any) -> None:
    """For whom nobody waits."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who watches a run. ``progress`` is told how many objects were read, and may raise to stop it between two pages;
    ``ended`` is told of each list."""

    progress: Callable[[int], None] = _nobody
    ended: Callable[[Ended], None] = _nobody


@dataclass
class _Run:
    id: uuid.UUID
    since: datetime | None
    reader: Reader
    watch: Watch
    read: int = 0
    ended: list[Ended] = field(default_factory=list)


def check_key() -> None:
    """Raise SyncRefused unless there is a key, and of our mode."""
    if not stripe_api.is_configured():
        raise SyncRefused(NO_KEY)
    if (theirs := stripe_api.mode_of_key()) and theirs != stripe_api.our_mode():
        raise SyncRefused(
            f"STRIPE_SECRET_KEY is a key of Stripe's {theirs} mode, and this is the {stripe_api.our_mode()} one "
            "(STRIPE_LIVEMODE). Nothing was read."
        )


def sync(
    *, since: datetime | None, only: Sequence[str] = (), reader: Reader | None = None, watch: Watch | None = None
) -> Sequence[Ended]:
    """Read the lists (all, or ``only`` these keys) and apply what is new; what came of each of them.

    ``since`` (UTC) leaves out what was created before. A run that was stopped goes on where it was. One list that
    cannot be read is told in its ``error``, and the others go on. Raises SyncRefused; StripeUnavailable, after which
    the next call goes on.
    """
    check_key()
    with _alone():
        wanted = [resource for key, resource in RESOURCES.items() if not only or key in only]
        states = {state.resource: state for state in SyncState.objects.all()}
        run = _Run(_run_to_go_on_with(states, wanted, since), since, reader or Reader(), watch or Watch())
        for resource in wanted:
            _sync(resource, states.get(resource.key), run)
    return run.ended


@contextmanager
def _alone() -> Iterator[None]:
    """Two runs would read the same and each forget how far the other was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            raise SyncRefused("A sync with Stripe is under way already. Wait until it has ended.")
    try:
        yield
    finally:
        # A session that was lost has lost its locks too.
        if not connection.closed_in_transaction and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _run_to_go_on_with(
    states: Mapping[str, SyncState], wanted: Sequence[Resource], since: datetime | None
) -> uuid.UUID:
    stopped = [
        state
        for resource in wanted
        if (state := states.get(resource.key))
        and state.finished_at is None
        and state.since == since
        and state.updated_at > clock.now() - GOES_ON_WITHIN
    ]
    return max(stopped, key=lambda state: state.updated_at).run if stopped else uuid.uuid4()


def _sync(resource: Resource, state: SyncState | None, run: _Run) -> None:
    goes_on = state is not None and state.run == run.id
    if goes_on and state is not None and state.finished_at is not None:
        return
    now = clock.now()
    if not goes_on or state is None:
        begun = {"run": run.id, "since": run.since, "starting_after": "", "read_from": now, "started_at": now}
        counted = {"found": 0, "new": 0, "held_up": 0, "error": "", "updated_at": now, "finished_at": None}
        state, _ = SyncState.objects.update_or_create(resource=resource.key, defaults={**begun, **counted})
    try:
        _read(resource, state, run, goes_on=goes_on)
    except StripeUnavailable as error:
        _note(state, error=str(error))
        raise
    except StripeCallFailed as error:
        _end(resource, state, run, error=str(error))
    else:
        _end(resource, state, run)


def _read(resource: Resource, state: SyncState, run: _Run, *, goes_on: bool) -> None:
    if goes_on:
        # The list is read downwards from the newest, so what was created meanwhile stands above.
        now = clock.now()
        for page in run.reader.pages(resource.path, resource.parameters(since=state.read_from)):
            _keep(resource, page, state, run, starting_after=state.starting_after)
        _note(state, read_from=now)
    try:
        _read_down(resource, state, run)
    except PlaceLost:
        # What it stood at was deleted. From the top then: what was told before is not told again.
        _note(state, starting_after="")
        _read_down(resource, state, run)


def _read_down(resource: Resource, state: SyncState, run: _Run) -> None:
    asked = resource.parameters(since=run.since)
    for page in run.reader.pages(resource.path, asked, after=state.starting_after):
        _keep(resource, page, state, run, starting_after=last_id(page.objects) or state.starting_after)


def _keep(resource: Resource, page: Page, state: SyncState, run: _Run, *, starting_after: str) -> None:
    kept = keep_page(resource=resource, page=page)
    _note(
        state,
        found=state.found + kept.found,
        new=state.new + kept.new,
        held_up=state.held_up + kept.held_up,
        starting_after=starting_after,
        error="",
    )
    run.read += kept.found
    run.watch.progress(run.read)


def _note(state: SyncState, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(state, name, value)
    state.updated_at = clock.now()
    state.save(update_fields=[*columns, "updated_at"])


def _end(resource: Resource, state: SyncState, run: _Run, *, error: str = "") -> None:
    _note(state, finished_at=clock.now(), error=error)
    ended = Ended(label=resource.label, found=state.found, new=state.new, held_up=state.held_up, error=error)
    run.ended.append(ended)
    run.watch.ended(ended)
