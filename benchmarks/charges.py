"""Single charges: through the service, beside pgbench on the least that a charge has to do, and beside the peer."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks import pgbench
from benchmarks.clients import Client, clients, rate
from benchmarks.measures import Goal, Measure, Result, interleaved, median_pair
from benchmarks.peer import setup as peer
from benchmarks.setting import Setting

# In the order in which they are measured; the peer may be left out.
ANCHORS = [("pgbench", Goal(0.5)), ("django-hordak transfer", Goal(2))]


def measure(setting: Setting) -> Iterator[Result]:
    """Charges a second with all clients at once, which has the goals, and with one, for information."""
    with ExitStack() as stack:
        charging = stack.enter_context(
            clients(setting.size.clients, "benchmarks.charge_client", setting.database.environment)
        )
        transferring = _transferring(setting, stack) if setting.peer else []
        for number in (setting.size.clients, 1):
            yield from _beside(setting, charging[:number], transferring[:number])


def _transferring(setting: Setting, stack: ExitStack) -> list[Client]:
    hordak = stack.enter_context(peer.ready(accounts=setting.size.accounts))
    group = stack.enter_context(
        clients(setting.size.clients, "benchmarks.peer.transfers", hordak.environment, hordak.python)
    )
    for one in group:
        one.call("load")
    return group


def _beside(setting: Setting, charging: Sequence[Client], transferring: Sequence[Client]) -> Iterator[Result]:
    number = len(charging)
    measures: list[Measure] = [
        partial(rate, charging, "charges", seconds=setting.size.seconds),
        partial(pgbench.rate, setting.database, clients=number, seconds=setting.size.seconds),
    ]
    if transferring:
        measures.append(partial(rate, transferring, "transfers", seconds=setting.size.seconds))
    for warm_up in measures:
        warm_up()
    charges, *anchors = interleaved(measures, rounds=setting.size.rounds, between=setting.database.tidy)
    who = f"{number} client{'s' if number > 1 else ''}"
    for (anchor, goal), figures in zip(ANCHORS, anchors, strict=False):
        value, anchor_value = median_pair(charges, figures)
        yield Result(
            name=f"single charge, {who}, beside {anchor}",
            value=value,
            unit="charges/s",
            anchor=f"{anchor}, {who}",
            anchor_value=anchor_value,
            goal=goal if number == setting.size.clients else None,
        )
