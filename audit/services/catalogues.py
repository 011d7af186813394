"""Small catalogues from a file: what its rows would do, and the doing of it, whole and audited row by row."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from import_export.results import RowResult
from tablib import Dataset

from audit.actions import Action
from audit.errors import NotAsShown
from audit.services.recording import Resource, record
from backoffice.lib.catalogues.files import FileRow
from backoffice.lib.catalogues.resources import CatalogueResource

Does = Literal["new", "update", "skip", "error"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a row of the file does. ``changes`` are before and after by column; ``faults`` speak against it."""

    number: int
    name: str
    does: Does
    changes: Mapping[str, tuple[str, str]]
    faults: Sequence[str]
    instance: models.Model | None


@dataclass(frozen=True)
class Outcome:
    """What a file does to a catalogue that is as ``state`` tells."""

    lines: Sequence[Line]
    state: str

    def number(self, does: Does) -> int:
        return sum(line.does == does for line in self.lines)

    @property
    def is_faulty(self) -> bool:
        return self.number("error") > 0

    @property
    def changes_something(self) -> bool:
        return self.number("new") + self.number("update") > 0


def look_through(*, resource: CatalogueResource, rows: Sequence[FileRow]) -> Outcome:
    """What the rows would do. Every row is saved and all of it undone, so rows that collide are found too."""
    with transaction.atomic():
        outcome = _done(resource, rows)
        transaction.set_rollback(True)
    return outcome


@transaction.atomic
def import_rows(
    *, resource: CatalogueResource, rows: Sequence[FileRow], state: str, actor: models.Model, reason: str
) -> Outcome:
    """Do what ``look_through`` told of a catalogue in ``state``: all rows or none, with an audit entry for each change.

    Raises NotAsShown when the catalogue has changed since, or a row is at fault: nothing is done.
    """
    outcome = _done(resource, rows)
    if outcome.state != state or outcome.is_faulty:
        raise NotAsShown
    for line in outcome.lines:
        if line.instance and line.changes:
            is_new = line.does == "new"
            record(
                action=Action.RECORD_ADDED if is_new else Action.RECORD_CHANGED,
                actor=actor,
                resource=Resource.of(line.instance),
                old_values={} if is_new else {column: before for column, (before, _) in line.changes.items()},
                new_values={column: after for column, (_, after) in line.changes.items()},
                reason=reason,
            )
    return outcome


def _done(resource: CatalogueResource, rows: Sequence[FileRow]) -> Outcome:
    model: type[models.Model] = resource._meta.model
    _lock(model)
    state = _state(model)
    columns = resource.columns()
    good = [row for row in rows if not row.fault]
    table = Dataset(*([row.cells.get(name, "") for name in columns] for row in good), headers=columns)
    result = resource.import_data(table, use_transactions=False, raise_errors=False)
    lines = [_line(resource, row, did) for row, did in zip(good, result.rows, strict=True)]
    lines += [_faulty(row.number, "", [row.fault]) for row in rows if row.fault]
    return Outcome(sorted(lines, key=lambda line: line.number), state)


def _lock(model: type[models.Model]) -> None:
    # Against whoever holds a row to change it, too: two who hold one each would wait for each other.
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {connection.ops.quote_name(model._meta.db_table)} IN EXCLUSIVE MODE")


def _state(model: type[models.Model]) -> str:
    rows = model._base_manager.order_by("pk").values_list()
    return hashlib.sha256(repr(list(rows)).encode()).hexdigest()


def _line(resource: CatalogueResource, row: FileRow, did: RowResult) -> Line:
    faults = [_words(error.error) for error in did.errors]
    if isinstance(did.validation_error, ValidationError):
        for attribute, told in did.validation_error.message_dict.items():
            column = resource.column_of(attribute)
            faults.append((f"{column}: " if column else "") + " ".join(told))
    if faults:
        return _faulty(row.number, row.cells.get("name", ""), faults)
    return Line(
        number=row.number,
        name=str(did.instance),
        does=did.import_type,
        changes=_changes(resource, did),
        faults=(),
        instance=did.instance,
    )


def _words(error: Exception) -> str:
    """What the reader of a cell complains of; anything else is no fault of the file."""
    if type(error) is not ValueError:
        raise error
    return str(error)


def _faulty(number: int, name: str, faults: Sequence[str]) -> Line:
    return Line(number=number, name=name, does="error", changes={}, faults=faults, instance=None)


def _changes(resource: CatalogueResource, did: Any) -> dict[str, tuple[str, str]]:
    # The key of a new record is nobody's change.
    after = resource.texts_of(did.instance) if did.is_new() or did.is_update() else {}
    before = resource.texts_of(did.original) if did.original else {}
    return {
        column: (before.get(column, ""), text)
        for column, text in after.items()
        if before.get(column, "") != text and column != "id"
    }
