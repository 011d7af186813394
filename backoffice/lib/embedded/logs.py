import shutil
from pathlib import Path

LIMIT = 10 * 1024 * 1024


def trim(path: Path, limit: int = LIMIT) -> None:
    """Keep a log that others append to below about `limit` bytes, with one older part beside it (.1).

    The file is cut, not renamed, because running servers hold it open. They must append (O_APPEND).
    """
    if not path.exists() or path.stat().st_size <= limit:
        return
    shutil.copyfile(path, path.with_name(path.name + ".1"))
    with path.open("r+b") as file:
        file.truncate(0)


def tail(path: Path, since: int = 0, lines: int = 15) -> str:
    """The last lines of a log, of what was written after byte `since`."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(since, size - 64 * 1024) if since <= size else 0)
        text = file.read().decode(errors="replace")
    return "\n".join(text.rstrip().splitlines()[-lines:])
