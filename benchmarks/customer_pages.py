"""The customers list and the customer page of a company that is a hundred times larger, and beside the stock admin."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median, quantiles

from benchmarks import company
from benchmarks.clients import Client, client
from benchmarks.company import QUIET_ENTRIES, Company
from benchmarks.database import environment_of
from benchmarks.measures import Goal, Result, median_pair
from benchmarks.setting import Setting, say

# A list of a hundred times as many customers takes at most half as long again.
GOAL = Goal(1.5, at_most=True)
STOCK_REQUESTS = 3

Looks = Callable[[int, int], list[float]]


def measure(setting: Setting) -> Iterator[Result]:
    """Each way to look at the list, at a percentile of 95 and of 50; then the page of a busy customer."""
    size = setting.size
    with ExitStack() as stack:
        large, small = (
            stack.enter_context(company.ready(each, keep=size.keeps_companies, say=say))
            for each in (
                Company(customers=size.customers, busy_entries=size.busy_entries),
                Company(customers=size.few_customers, busy_entries=QUIET_ENTRIES),
            )
        )
        looking = stack.enter_context(client("benchmarks.customer_client", environment_of(large.name)))
        yield from _lists(setting, looking, small)
        yield from _pages(setting, looking, large)
        yield from _stock(setting, looking, large)


def _lists(setting: Setting, looking: Client, small: Company) -> Iterator[Result]:
    with client("benchmarks.customer_client", environment_of(small.name)) as among_few:
        for kind in looking.call("kinds"):
            pair = partial(_looks, looking, kind), partial(_looks, among_few, kind)
            # Of both at once nothing is promised: a word that fits many goes the long way when a filter narrows it.
            goal = None if kind.startswith("search and filter") else GOAL
            yield from _beside(
                setting,
                f"customers list, {kind}",
                pair,
                f"the same among {small.customers:,}",
                number=setting.size.looks,
                goal=goal,
            )


def _pages(setting: Setting, looking: Client, large: Company) -> Iterator[Result]:
    pair = partial(_page, looking, large.busy), partial(_page, looking, large.quiet)
    yield from _beside(
        setting,
        f"customer page, {large.busy_entries:,} entries",
        pair,
        f"the same with {QUIET_ENTRIES}",
        number=setting.size.looks,
    )


def _stock(setting: Setting, looking: Client, large: Company) -> Iterator[Result]:
    """For information: the stock admin on the same database, with the page of ours that shows the same."""
    ours = {"page 1,000": "90% deep"}
    with client("benchmarks.stock_client", environment_of(large.name)) as stock:
        for kind in stock.call("kinds"):
            pair = partial(_looks, looking, ours.get(kind, kind)), partial(_looks, stock, kind)
            (result, *_) = _beside(
                setting,
                f"customers list, {kind}, beside stock",
                pair,
                "the stock admin",
                number=STOCK_REQUESTS,
                goal=None,
            )
            yield result


def _beside(
    setting: Setting,
    name: str,
    pair: tuple[Looks, Looks],
    anchor: str,
    *,
    number: int,
    goal: Goal | None = GOAL,
) -> Iterator[Result]:
    """Both in turn, round by round, the other one first each time; percentiles are of a round."""
    for looks in pair:
        looks(number, 0)
    rounds: list[tuple[list[float], list[float]]] = []
    for turn in range(1, setting.size.rounds + 1):
        if turn % 2:
            first, second = pair[0](number, turn), pair[1](number, turn)
        else:
            second, first = pair[1](number, turn), pair[0](number, turn)
        rounds.append((first, second))
    for label, figure, its_goal in (("p95", _p95, goal), ("p50", median, None)):
        values, anchors = ([figure(times) for times in side] for side in zip(*rounds, strict=True))
        value, anchor_value = median_pair(values, anchors)
        yield Result(
            name=f"{name}, {label}", value=value, unit="ms", anchor=anchor, anchor_value=anchor_value, goal=its_goal
        )


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]


def _looks(process: Client, kind: str, number: int, seed: int) -> list[float]:
    found: list[float] = process.call("looks", kind=kind, number=number, seed=seed)
    return found


def _page(process: Client, user_id: int, number: int, seed: int) -> list[float]:
    found: list[float] = process.call("customer", user_id=user_id, number=number)
    return found
