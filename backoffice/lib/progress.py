"""A bar on a terminal, and nothing where nobody looks."""

from typing import Any

WIDTH = 30


class Bar:
    """``[#####     ]  50%``, drawn over and over on one line of ``out``, which is a terminal or is left alone."""

    def __init__(self, out: Any, label: str) -> None:
        self._out, self._label, self._is_open = out, label, False

    def show(self, done: int, total: int) -> None:
        """How far it is; 100% ends the line."""
        if not self._out.isatty():
            return
        share = min(1.0, done / total) if total > 0 else 1.0
        text = f"\r{self._label} [{'#' * round(share * WIDTH):<{WIDTH}}] {share:4.0%}"
        self._is_open = share < 1
        self._out.write(text, ending="" if self._is_open else "\n")
        self._out.flush()

    def end(self) -> None:
        """Let what is written next begin on a line of its own."""
        if self._is_open:
            self._out.write("")
            self._is_open = False
