"""What it costs to audit a save, beside what the stock admin's log costs, both beyond the save itself."""

from collections.abc import Iterator

from benchmarks.clients import client
from benchmarks.measures import Goal, Result, median_pair
from benchmarks.setting import Setting


class LogBroken(Exception):
    """What was measured is no sound log; the message says what is wrong."""


def measure(setting: Setting) -> Iterator[Result]:
    """Microseconds of one change of one record: the log's part of it, which has the goal, and the whole."""
    with client("benchmarks.saving_client", setting.database.environment) as process:
        process.call("saves", number=setting.size.saves)
        rounds = []
        for _ in range(setting.size.rounds):
            setting.database.tidy()
            # Save by save, not round by round: a commit waits for the disk, which is not equally busy for long.
            rounds.append(process.call("saves", number=setting.size.saves))
        told = process.call("proof")
    written = setting.size.saves * (setting.size.rounds + 1)
    if told["fault"] or told["entries"] < written:
        raise LogBroken(told["fault"] or f"{told['entries']} of {written} entries were written")
    extra = [(each["ours"] - each["bare"], each["stock"] - each["bare"]) for each in rounds]
    yield _result("an audited save, beyond the bare save", "the stock LogEntry, beyond the same", extra, Goal(1, True))
    whole = [(each["ours"], each["stock"]) for each in rounds]
    yield _result("an audited save, as a whole", "a save with the stock LogEntry", whole, None)


def _result(name: str, anchor: str, pairs: list[tuple[float, float]], goal: Goal | None) -> Result:
    value, anchor_value = median_pair(*map(list, zip(*pairs, strict=True)))
    return Result(name=name, value=value, unit="µs", anchor=anchor, anchor_value=anchor_value, goal=goal)
