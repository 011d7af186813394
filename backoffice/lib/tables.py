"""Reading tables that people made: CSV in any of the usual forms, row by row, in bounded memory.

What is wrong with one row is told of that row and reading goes on; what makes the whole file unreadable ends it.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import IO

DELIMITERS = ",;\t|"
MOST_COLUMNS = 200
# Characters of one row, so that a quotation mark which is never closed does not take the file into memory.
LONGEST_ROW = 1_000_000
ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SHOWN_BYTES = 20


class TableFault(Exception):
    """Something that cannot be read: in which line (the first is 1) and column, what is wrong, what to do."""

    def __init__(self, line: int, problem: str, advice: str, *, column: str = "", value: str = "") -> None:
        super().__init__(f"Line {line}: {problem} {advice}")
        self.line, self.problem, self.advice, self.column, self.value = line, problem, advice, column, value


class BadRow(TableFault):
    """One row is wrong, and the next one can be read."""


class Unreadable(TableFault):
    """Nothing more can be read."""


class Table:
    """The rows of a file as (line, values by column), where ``line`` is the one that a row begins on.

    ``known`` are the names of columns that are looked for: the delimiter is the one that finds most of them. The
    iterator raises BadRow, after which it goes on, and Unreadable, after which it does not. Raises Unreadable when
    there are no columns to read.
    """

    def __init__(self, file: IO[bytes], *, known: Collection[str], encoding: str = "") -> None:
        self.encoding = ENCODINGS[encoding] if encoding else _encoding_of(file)
        self._lines = _Lines(file, self.encoding)
        try:
            first = self._lines.first()
            self.delimiter = max(DELIMITERS, key=lambda mark: _known_names(first, mark, known))
            self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
            # Empty for a column without a name, which holds nothing.
            self.columns = self._header()
        except TableFault:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file, which stays open."""
        self._lines.close()

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        return self

    def __next__(self) -> tuple[int, dict[str, str]]:
        while True:
            line, values = self._record()
            # Spreadsheets leave rows behind in which nothing stands.
            if any(values):
                return line, self._by_column(line, values)

    def _header(self) -> list[str]:
        line, names = self._record()
        if len(names) > MOST_COLUMNS:
            raise Unreadable(line, f"There are {len(names):,} columns.", f"Keep to {MOST_COLUMNS} at most.")
        columns = [column_name(name) for name in names]
        for name, times in Counter(filter(None, columns)).items():
            if times > 1:
                places = " and ".join(str(place) for place, other in enumerate(columns, start=1) if other == name)
                raise Unreadable(
                    line, f"The column {name} is there more than once, in places {places}.", "Keep one.", column=name
                )
        return columns

    def _record(self) -> tuple[int, list[str]]:
        self._lines.begin_row()
        try:
            return self._lines.row_line, next(self._reader)
        except csv.Error as error:
            raise _fault_of(error, self._lines) from error

    def _by_column(self, line: int, values: Sequence[str]) -> dict[str, str]:
        if len(values) != len(self.columns):
            raise BadRow(
                line,
                f"The row has {len(values):,} values, and there are {len(self.columns)} columns.",
                "Give each column a value, if only an empty one, and put values that hold the delimiter or a line "
                "break into quotation marks.",
            )
        for name, value in zip(self.columns, values, strict=True):
            if value and not name:
                raise BadRow(
                    line, "There is a value in a column without a name.", "Name the column or empty it.", value=value
                )
        return {name: value for name, value in zip(self.columns, values, strict=True) if name}


def column_name(text: str) -> str:
    """A header in the form in which columns are compared: ``Full Name`` is full_name."""
    return re.sub(r"[\s-]+", "_", text.strip("\ufeff\x00 \t\r\n")).lower()


def _known_names(line: str, delimiter: str, known: Collection[str]) -> int:
    try:
        [names] = csv.reader([line], delimiter=delimiter)
    except (csv.Error, ValueError):
        return 0
    return sum(column_name(name) in known for name in names)


def _encoding_of(file: IO[bytes]) -> str:
    head = file.read(4)
    file.seek(0)
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    # Letters of a header are one byte and a NUL where somebody forgot the mark.
    if len(head) == 4 and head[1] == head[3] == 0:
        return "utf-16-le"
    if len(head) == 4 and head[0] == head[2] == 0:
        return "utf-16-be"
    return "utf-8-sig"


class _Lines:
    """Lines of text with their ends as they are, each of bounded length, and where the running row began."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._text = io.TextIOWrapper(file, encoding=encoding, newline="")
        self._waiting: list[str] = []
        self.line = 0
        self.row_line = 1
        self._row_length = 0

    def first(self) -> str:
        """The first line with something on it, which is read again as the first."""
        while (line := self._read()) and not line.strip():
            self.line += 1
        if not line:
            raise Unreadable(1, "The file is empty.", "Begin with a line that names the columns.")
        self._waiting.append(line)
        return line

    def close(self) -> None:
        self._text.detach()

    def begin_row(self) -> None:
        self.row_line, self._row_length = self.line + 1, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else self._read()
        if not line:
            raise StopIteration
        self.line += 1
        self._row_length += len(line)
        if self._row_length >= LONGEST_ROW:
            raise Unreadable(
                self.row_line,
                f"The row has more than {LONGEST_ROW:,} characters.",
                "Look for a quotation mark that is never closed.",
            )
        return line

    def _read(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW)
        except UnicodeDecodeError as error:
            raise self._undecodable(error) from error

    def _undecodable(self, error: UnicodeDecodeError) -> Unreadable:
        # Lines are read as far as they were decoded, so what is wrong lies in the piece that was to be decoded next.
        before = error.object[: error.start].decode(self._text.encoding, errors="replace")
        line = self.line + 1 + len(re.findall(r"\r\n|\r|\n", before))
        around = error.object[max(0, error.start - SHOWN_BYTES) : error.start + SHOWN_BYTES]
        value = re.split(r"[\r\n]", before)[-1][-SHOWN_BYTES:] + error.object[error.start : error.start + 1].hex(" ")
        guess = around.decode("cp1252", errors="replace").replace("\x00", "")
        return Unreadable(
            line,
            f"This is not {_said(self._text.encoding)}: the byte {error.object[error.start]:#04x} cannot stand here.",
            f"Save the file as UTF-8, or choose Windows-1252 if “{guess.strip()}” reads right.",
            value=value,
        )


def _said(encoding: str) -> str:
    return {"cp1252": "Windows-1252"}.get(encoding, encoding.removesuffix("-sig").upper())


def _fault_of(error: csv.Error, lines: _Lines) -> TableFault:
    text = str(error)
    if "unexpected end" in text:
        return Unreadable(
            lines.row_line,
            "A quotation mark that opens in this row is never closed.",
            "Close it; a quotation mark inside a value is written twice.",
        )
    if "field limit" in text:
        return Unreadable(
            lines.row_line,
            f"A value has more than {csv.field_size_limit():,} characters.",
            "Look for a quotation mark that is never closed.",
        )
    return BadRow(
        lines.row_line,
        "A quotation mark stands where it cannot: after the end of a quoted value.",
        'Put the whole value into quotation marks and write those inside it twice: "so called ""value""".',
    )
