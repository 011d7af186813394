"""The matrix as text: a line for each address and method, the answers first, so that a long address moves no other."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

FILE = Path(__file__).with_name("matrix.txt")
HEAD = """\
# What every address answers to whom: the status with an empty form, "login" when sent there to log in.
# Made by `make access-matrix`; a new or another answer fails tests/access until this file says so.
"""
# One line of the matrix: method and address, with the answer to each asker.
Matrix = Mapping[tuple[str, str], Sequence[str]]


def written(askers: Sequence[str], matrix: Matrix) -> str:
    """The text of a matrix, sorted by address and method."""
    columns = [_column(asker) for asker in askers]
    rows = [("", *columns, "")]
    for (address, method), answers in sorted(matrix.items()):
        rows.append((method, *answers, address))
    return HEAD + "".join(_line(row, columns) for row in rows)


def read(text: str) -> list[str]:
    """The lines of a matrix without remarks, in a form that does not depend on the space between."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def differences(expected: Iterable[str], actual: Iterable[str]) -> list[str]:
    """What is in one and not in the other, sorted by address: ``-`` as the file has it, ``+`` as it is now."""
    before, after = set(expected), set(actual)
    lines = [(line.split()[-1], "-", line) for line in before - after]
    lines += [(line.split()[-1], "+", line) for line in after - before]
    return [f"{sign} {line}" for _, sign, line in sorted(lines)]


def _column(asker: str) -> str:
    return asker.replace(" ", "-")


def _line(row: Sequence[str], columns: Sequence[str]) -> str:
    method, *answers, address = row
    cells = (answer.ljust(max(len(column), 5)) for answer, column in zip(answers, columns, strict=True))
    return f"{method:4}  {'  '.join(cells)}  {address}".rstrip() + "\n"
