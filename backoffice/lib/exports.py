"""What can be taken along as a file: each export is declared once, by the app whose rows they are.

The API, the lists of the admin and long jobs all make the file from the same declaration (``audit.exporting``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import models
from django.db.models import QuerySet

from backoffice.lib.csv import Column
from backoffice.lib.registry import Registry

Format = Literal["csv", "json"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """A file of rows. Its ``key`` begins the file's name and ends its address in the API.

    ``rows`` are all that there are, of the model that a list of the admin shows; a list hands in those that it was
    narrowed to, in one of ``formats``. ``permission`` is asked for each time, and each time ``action`` is written into
    the audit log.
    """

    key: str
    label: str
    permission: str
    action: str
    rows: Callable[[], QuerySet[Any]]
    columns: Callable[[], Sequence[Column]]
    # Whether whoever takes it along from a page must have proven lately who they are.
    needs_step_up: bool = False
    formats: Sequence[Format] = ("csv",)
    order: int = 100

    @property
    def model(self) -> type[models.Model]:
        """Whose rows they are."""
        return self.rows().model


exports: Registry[Export] = Registry("exports")


def exports_of(model: type[models.Model]) -> list[Export]:
    """The files that can be made of a model's rows."""
    return [export for export in exports if export.model is model]
