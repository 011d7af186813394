"""Stripe's deliveries taken by one worker, beside dj-stripe on the same signed events."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from backoffice.lib import embedded
from benchmarks.clients import Client, client, rate
from benchmarks.deliveries import TYPES
from benchmarks.measures import Goal, Measure, Result, interleaved, median_pair
from benchmarks.peer import setup as peer
from benchmarks.setting import Setting, say

GOAL = Goal(6)


class NotProcessed(Exception):
    """The peer kept deliveries that it did not process: its figure is of something else."""


def measure(setting: Setting) -> Iterator[Result]:
    """Deliveries a second of each type: by us verified, kept, answered and a worker told; by the peer processed too.

    Without the peer, those of a payment beside those that mean nothing to us, for information.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="bo-")))
        # What tells a worker goes to a server of its own: nobody is to work on these.
        redis = stack.enter_context(embedded.running(home, postgres=False, redis=True, say=say)).redis
        environment = {**setting.database.environment, "REDIS_URL": redis}
        ours = stack.enter_context(client("benchmarks.webhook_client", environment))
        if not setting.peer:
            value, other = _medians(setting, [_rate(setting, ours, event_type) for event_type in TYPES])
            yield _result(TYPES[0], value, anchor=f"{TYPES[1]}, by us", anchor_value=other)
            return
        theirs = _peer(stack)
        for event_type in TYPES:
            measures = [_rate(setting, process, event_type) for process in (ours, theirs)]
            value, anchor_value = _medians(setting, measures)
            yield _result(event_type, value, anchor="dj-stripe", anchor_value=anchor_value, goal=GOAL)
        if left := theirs.call("unprocessed"):
            raise NotProcessed(f"dj-stripe did not process {left} deliveries.")


def _peer(stack: ExitStack) -> Client:
    ready = stack.enter_context(peer.ready())
    process = stack.enter_context(client("benchmarks.peer.webhooks", ready.environment, ready.python))
    process.call("prepare")
    return process


def _rate(setting: Setting, process: Client, event_type: str) -> Measure:
    return partial(rate, [process], "accepted", seconds=setting.size.seconds, event_type=event_type)


def _medians(setting: Setting, measures: list[Measure]) -> tuple[float, float]:
    for warm_up in measures:
        warm_up()
    return median_pair(*interleaved(measures, rounds=setting.size.rounds, between=setting.database.tidy))


def _result(event_type: str, value: float, *, anchor: str, anchor_value: float, goal: Goal | None = None) -> Result:
    return Result(
        name=f"webhook accept, one worker, {event_type}",
        value=value,
        unit="deliveries/s",
        anchor=anchor,
        anchor_value=anchor_value,
        goal=goal,
    )
