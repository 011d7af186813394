"""A bar for each result that has a goal: how far it is on the way there. Plain SVG, drawn for light and for dark."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.measures import Goal, Result

WIDTH, LABELS, RIGHT, ROW, TOP, BAR = 860, 390, 160, 44, 34, 18
# A bar that is longer than this many times the goal ends in an arrow.
LONGEST = 2.0


@dataclass(frozen=True)
class Inks:
    """The colours of the product's own theme."""

    ground: str
    text: str
    quiet: str
    line: str
    met: str
    missed: str


LIGHT = Inks("#ffffff", "#211e1a", "#665f55", "#d3cbbe", "#4a48c8", "#b3281d")
DARK = Inks("#22201d", "#ece8e1", "#aca59a", "#4b463f", "#8886f5", "#ff8a7d")


def draw(results: Sequence[Result], inks: Inks) -> str:
    """The chart of those results that have a goal, as the text of an SVG file."""
    rows = [(result, result.goal) for result in results if result.goal]
    height = TOP + ROW * len(rows) + 12
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            ' font-family="system-ui, sans-serif" font-size="13" role="img">',
            "<title>Each measured ratio on the way to its goal</title>",
            f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{inks.ground}"/>',
            *(line for number, (result, goal) in enumerate(rows) for line in _row(number, result, goal, inks)),
            *_goal_line(height, inks),
            "</svg>\n",
        ]
    )


def _at(margin: float) -> float:
    return LABELS + (WIDTH - LABELS - RIGHT) * min(margin, LONGEST) / LONGEST


def _row(number: int, result: Result, goal: Goal, inks: Inks) -> Iterator[str]:
    top = TOP + ROW * number
    middle = top + ROW / 2
    margin = goal.margin(result.ratio)
    end = _at(margin)
    ink = inks.met if result.holds else inks.missed
    yield f'<text x="16" y="{middle - 3:.0f}" fill="{inks.text}">{escape(result.name)}</text>'
    yield (
        f'<text x="16" y="{middle + 13:.0f}" fill="{inks.quiet}" font-size="11">'
        f"{result.value:,.0f} {escape(result.unit)} against {result.anchor_value:,.0f}</text>"
    )
    bar = middle - BAR / 2
    yield f'<rect x="{LABELS}" y="{bar:.0f}" width="{end - LABELS:.1f}" height="{BAR}" rx="3" fill="{ink}"/>'
    if margin > LONGEST:
        yield f'<path d="M{end:.1f} {bar:.0f} l9 {BAR / 2:.0f} l-9 {BAR / 2:.0f} z" fill="{ink}"/>'
    word = "" if result.holds else ", missed"
    # Beside the bar, and never across the line of the goal.
    yield (
        f'<text x="{max(end, _at(1)) + 14:.1f}" y="{middle + 4:.0f}" fill="{inks.text}">'
        f"{result.ratio:.2f} (goal {escape(str(goal))}){word}</text>"
    )


def _goal_line(height: int, inks: Inks) -> Iterator[str]:
    x = _at(1)
    yield f'<path d="M{x:.1f} {TOP - 6} V{height - 12}" stroke="{inks.text}" stroke-dasharray="3 3"/>'
    yield f'<text x="{x:.1f}" y="{TOP - 14}" fill="{inks.quiet}" font-size="11" text-anchor="middle">goal</text>'
