"""A file of a catalogue, read into rows of texts: CSV or JSON, each column named, nothing that cannot be kept."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from backoffice.lib.csv import as_typed
from backoffice.lib.tables import BadRow, Table, TableFault
from backoffice.lib.texts import NUL, has_half_character

Format = Literal["csv", "json"]
# A catalogue is small; what is large has an import of its own, on a worker. Who takes a file in asks for its size.
MOST_BYTES = 256 * 1024
MOST_ROWS = 500
BLANKS = " \t\r\n\xa0"


class FileRefused(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class FileRow:
    """A row, or why it cannot be read. ``number`` is the line of a CSV file and the object of a JSON one."""

    number: int
    cells: Mapping[str, str]
    fault: str = ""


def read(content: bytes, format_: Format, *, columns: Sequence[str], key: str) -> list[FileRow]:
    """The rows, each with a text for each of ``columns``; that of ``key`` may be missing. Raises FileRefused."""
    told = _objects(content) if format_ == "json" else _lines(content, columns)
    rows = [_checked(row, columns=columns, key=key) for row in islice(told, MOST_ROWS + 1)]
    if not rows:
        raise FileRefused("There are no rows in the file. Export the list to see how one looks.")
    if len(rows) > MOST_ROWS:
        raise FileRefused(f"There are more than {MOST_ROWS} rows in the file. Divide it.")
    return rows


def _lines(content: bytes, columns: Sequence[str]) -> Iterator[FileRow]:
    try:
        table = Table(io.BytesIO(content), known=columns)
        while True:
            try:
                line, cells = next(table)
            except StopIteration:
                return
            except BadRow as error:
                yield FileRow(error.line, {}, f"{error.problem} {error.advice}")
            else:
                yield FileRow(line, {name: as_typed(text.strip(BLANKS)) for name, text in cells.items()})
    except TableFault as error:
        raise FileRefused(str(error)) from error


def _objects(content: bytes) -> Iterator[FileRow]:
    try:
        # Numbers stay the texts that they are: not even a huge or an odd one is reckoned with here.
        found = json.loads(
            content.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_Object,
        )
    except UnicodeDecodeError as error:
        raise FileRefused("The file is not UTF-8: save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise FileRefused(f"The file is no JSON: {error}.") from error
    if isinstance(found, _Object) or not isinstance(found, list):
        raise FileRefused("The file is no list of objects. Export the list to see how one looks.")
    for number, item in enumerate(found, start=1):
        yield _object(number, item)


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, those included that stand twice."""


def _object(number: int, item: Any) -> FileRow:
    if not isinstance(item, _Object):
        return FileRow(number, {}, "This is no object.")
    if len(dict(item)) < len(item):
        return FileRow(number, {}, "A name stands twice in the object.")
    if any(isinstance(value, list) for _, value in item):
        return FileRow(number, {}, "A value is a list or an object; write a text, a number, true, false or null.")
    return FileRow(number, {name: _text(value) for name, value in item})


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip(BLANKS)


def _checked(row: FileRow, *, columns: Sequence[str], key: str) -> FileRow:
    return row if row.fault else FileRow(row.number, row.cells, _fault_of(row.cells, columns, key))


def _fault_of(cells: Mapping[str, str], columns: Sequence[str], key: str) -> str:
    unknown = [name for name in cells if name not in columns]
    missing = [name for name in columns if name not in cells and name != key]
    if unknown or missing:
        told = [f"There is no column {_shown(name)}." for name in unknown[:3]]
        told += [f"The column {name} is missing." for name in missing]
        return " ".join([*told, "Export the list to see the columns."])
    for name, text in cells.items():
        if NUL in text:
            return f"{name}: there is a NUL character in it. Remove it: it is none that anybody typed."
        if has_half_character(text):
            return f"{name}: there is half a character in it."
    return ""


def _shown(name: str) -> str:
    return ascii(name[:40])
