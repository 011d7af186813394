"""What a benchmark answers: a figure, its anchor, and whether their ratio meets the goal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any

Measure = Callable[[], float]


@dataclass(frozen=True)
class Goal:
    """What the ratio of a figure to its anchor has to be: at least (or at most) ``bound``."""

    bound: float
    at_most: bool = False

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"

    def is_met_by(self, ratio: float) -> bool:
        return ratio <= self.bound if self.at_most else ratio >= self.bound

    def margin(self, ratio: float) -> float:
        """How far ``ratio`` is on the way to the goal: 1 meets it, more is better."""
        return self.bound / ratio if self.at_most else ratio / self.bound


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row of the report. Without a goal it is there for information."""

    name: str
    value: float
    unit: str
    anchor: str
    anchor_value: float
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.anchor_value

    @property
    def holds(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return self.goal.is_met_by(self.ratio) if self.goal else None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": round(self.value, 1),
            "unit": self.unit,
            "anchor": self.anchor,
            "anchor_value": round(self.anchor_value, 1),
            "ratio": round(self.ratio, 3),
            "goal": str(self.goal) if self.goal else None,
            "holds": self.holds,
        }


def interleaved(measures: Sequence[Measure], *, rounds: int, between: Callable[[], None]) -> list[list[float]]:
    """Measure all in turn, ``rounds`` times, ``between`` before each round; one list of figures a measure.

    The order turns from round to round: whatever else the machine does meets all of them alike.
    """
    figures: list[list[float]] = [[] for _ in measures]
    for number in range(rounds):
        between()
        for turn in range(len(measures)):
            which = (number + turn) % len(measures)
            figures[which].append(measures[which]())
    return figures


def median_pair(values: Sequence[float], anchors: Sequence[float]) -> tuple[float, float]:
    """The figure and the anchor of the round whose ratio is the median one.

    Taken from one round, because a noisy machine slows both sides of a round, but not all rounds.
    """
    pairs = list(zip(values, anchors, strict=True))
    middle = median_low([value / anchor for value, anchor in pairs])
    return next((value, anchor) for value, anchor in pairs if value / anchor == middle)
