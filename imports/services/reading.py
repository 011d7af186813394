"""From the file into the tables of the transaction: each row validated by itself, in chunks, in bounded memory."""

from collections.abc import Callable, Iterator
from typing import IO, Any

from accounts.services import intake
from backoffice.lib.tables import BadRow, Table, TableFault, Unreadable
from credits.services import openings
from imports import columns
from imports.columns import Row
from imports.models import CustomerImport
from imports.report import SHOWN_VALUE, Fault
from imports.services import faults

CHUNK_ROWS = 5_000
# Of our columns those that customers have under another name.
TOLD_AS = {"joined": "created_at"}
CUSTOMER = [TOLD_AS.get(name, name) for name in intake.COLUMNS[1:]]
OPENING = {"amount": "opening_balance"}
OPENED = [OPENING.get(name, f"opening_{name}") for name in openings.COLUMNS[1:]]


def stage(file: IO[bytes], given: CustomerImport, *, tell: Callable[[int], None]) -> int:
    """Read the whole file and stage what can be read; the rest is noted as faults. Returns how many rows there were.

    ``tell`` is called with the number of rows so far.
    """
    intake.begin()
    openings.begin()
    faults.begin()
    rows = found = 0
    try:
        table = Table(file, known=columns.BY_NAME, encoding=given.encoding)
    except TableFault as fault:
        faults.add([_as_fault(fault)])
        return 0
    try:
        _check_columns(table, given)
        for chunk in _chunks(table):
            good = [row for row in chunk if isinstance(row, Row)]
            bad = [fault for row in chunk if not isinstance(row, Row) for fault in row]
            intake.take([_customer(row) for row in good])
            openings.take([_opening(row) for row in good if "opening_balance" in row.told])
            faults.add(bad)
            rows, found = rows + len(chunk), found + len(bad)
            tell(rows)
            if found > faults.MOST_FAULTS:
                raise Unreadable(
                    chunk[-1][-1].line if isinstance(chunk[-1], list) else chunk[-1].line,
                    f"There are more than {faults.MOST_FAULTS:,} errors: what follows was not looked at.",
                    "Look for one cause of all of them.",
                )
    except TableFault as fault:
        faults.add([_as_fault(fault)])
    finally:
        table.close()
    return rows


def _check_columns(table: Table, given: CustomerImport) -> None:
    known = ", ".join(columns.BY_NAME)
    if "email" not in table.columns:
        raise Unreadable(1, "There is no column email.", f"Name the columns in the first line: {known}.")
    for name in table.columns:
        if name and name not in columns.BY_NAME and not given.ignores_unknown:
            raise Unreadable(
                1,
                "There is no such column.",
                f"Name it as one of these, take it out, or choose that unknown columns are left out: {known}.",
                column=name,
            )


def _chunks(table: Table) -> Iterator[list[Row | list[Fault]]]:
    chunk: list[Row | list[Fault]] = []
    while True:
        try:
            line, cells = next(table)
        except StopIteration:
            break
        except BadRow as fault:
            chunk.append([_as_fault(fault)])
        except Unreadable:
            # What was read before it is told of too.
            if chunk:
                yield chunk
            raise
        else:
            chunk.append(columns.read_row(line, cells))
        if len(chunk) >= CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _as_fault(fault: TableFault) -> Fault:
    value = fault.value[:SHOWN_VALUE].replace("\x00", "␀")
    return Fault(fault.line, fault.column[:SHOWN_VALUE].replace("\x00", "␀"), value, fault.problem, fault.advice)


def _customer(row: Row) -> tuple[Any, ...]:
    return (row.line, *(row.told.get(name) for name in CUSTOMER))


def _opening(row: Row) -> tuple[Any, ...]:
    return (row.line, *(row.told.get(name) for name in OPENED))
