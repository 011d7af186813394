"""Whether a file tells of somebody who is to be forgotten, in whatever encoding it was saved."""

from collections.abc import Collection
from typing import IO

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
CHUNK_BYTES = 1024 * 1024


def tells_of(file: IO[bytes], names: Collection[str]) -> bool:
    """Whether one of ``names``, such as an email address, stands in ``file``, in any case of its letters.

    Reads the file through, in pieces.
    """
    wanted = [name.lower().encode(encoding) for name in names if name for encoding in ENCODINGS]
    if not wanted:
        return False
    # A name may begin in one piece and end in the next.
    longest, before = max(map(len, wanted)), b""
    while chunk := file.read(CHUNK_BYTES):
        piece = before + chunk.lower()
        if any(name in piece for name in wanted):
            return True
        before = piece[-longest:]
    return False
