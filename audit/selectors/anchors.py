"""The head of the chain as it was written down outside of the database, night for night.

Whoever can rewrite the whole log, its chain included, cannot rewrite what lies elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\d{1,18}) ([0-9a-f]{64})")


class AnchorsUnreadable(Exception):
    """The file of anchors is there and cannot be read, or a line of it is none."""


@dataclass(frozen=True)
class Anchor:
    """At this time (ISO 8601, UTC) the entry ``seq`` was the last one and had this hash."""

    at: str
    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.at} {self.seq} {self.hash}"


def read_anchors(file: Path) -> Sequence[Anchor]:
    """The anchors, oldest first; none without a file. Raises AnchorsUnreadable."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise AnchorsUnreadable(f"{file} cannot be read: {error}") from error
    return [_anchor(file, number, line) for number, line in enumerate(lines, start=1)]


def _anchor(file: Path, number: int, line: str) -> Anchor:
    found = LINE.fullmatch(line)
    if found is None:
        raise AnchorsUnreadable(f"line {number} of {file} is no anchor")
    return Anchor(found[1], int(found[2]), found[3])
