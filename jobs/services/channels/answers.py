"""What the other side made of a message."""

from dataclasses import dataclass

TEXT_LENGTH = 500


class NotConfigured(Exception):
    """The settings do not say where messages of this channel go. The message names the setting."""


@dataclass(frozen=True)
class Answer:
    """``status_code`` is HTTP's or SMTP's, if there was one. What ``is_final`` is not worth another try."""

    ok: bool
    status_code: int | None = None
    text: str = ""
    is_final: bool = False

    @property
    def error(self) -> str:
        """Why it was not taken, in one line; empty if it was."""
        if self.ok:
            return ""
        code = f"{self.status_code}: " if self.status_code else ""
        return f"{code}{self.text}"[:TEXT_LENGTH]


def readable(text: str) -> str:
    """The beginning of what somebody else's server said, as the database can keep it."""
    return text.replace("\x00", "").strip()[:TEXT_LENGTH]
