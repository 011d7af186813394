"""What is known of a file once it was looked through."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# As many errors as a page shows; the file of all errors has the rest.
SHOWN_FAULTS = 100
SHOWN_VALUE = 200


@dataclass(frozen=True)
class Fault:
    """An error in the file: where, what stands there, what is wrong with it, and what to do."""

    line: int
    column: str
    value: str
    problem: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """``rows`` were read, of which ``new`` customers and ``known`` ones. ``credits`` is the sum of the openings and
    ``largest`` the largest of them."""

    rows: int
    new: int = 0
    known: int = 0
    openings: int = 0
    credits: str = "0"
    largest: str = "0"
    faults: int = 0
    first_faults: Sequence[Fault] = ()
    notes: Sequence[str] = field(default_factory=list)
    # When and as what the same file was imported before.
    repeats: str = ""

    def as_json(self) -> dict[str, Any]:
        """To be kept in a row."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Any) -> "Report":
        """As it was kept."""
        return cls(**kept | {"first_faults": [Fault(**fault) for fault in kept["first_faults"]]})

    def summary(self) -> str:
        """In one line."""
        if self.repeats:
            return f"{self.rows:,} rows. {self.repeats}"
        opened = f", {self.openings:,} opening balances of {self.credits} credits" if self.openings else ""
        return f"{self.rows:,} rows: {self.new:,} new customers, {self.known:,} known{opened}; {self.faults:,} errors"
