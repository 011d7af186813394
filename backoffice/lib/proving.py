"""Proofs in SQL: rules over whole tables, each a query that gives the rows which break it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from backoffice.lib.registry import Registry

# How many broken rows a page shows: whoever repairs wants the first ones, and a broken table has millions.
KEPT_FINDINGS = 100


@dataclass(frozen=True, kw_only=True)
class FigureRule:
    """What must hold of one of the figures that are kept beside customers, told by the app that writes it.

    ``query`` gives the customer's id and what is wrong there, with what it should be, of each row that breaks the
    rule; ``parameters`` are its named ones as of now, so percent signs are doubled. ``figure`` is the column of
    CustomerFigures.
    """

    key: str
    figure: str
    rule: str
    query: str
    parameters: Callable[[], Mapping[str, Any]] = dict
    order: int = 100


figure_rules: Registry[FigureRule] = Registry("figure rules")


@dataclass
class Findings:
    """How many rows broke a rule, and the first of them, in words and numbers that fit JSON."""

    count: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **finding: Any) -> None:
        self.count += 1
        if self.count <= KEPT_FINDINGS:
            self.first.append(finding)


def broken_rows(query: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The rows that a query of a rule gives, a few at a time however many there are. To be asked in a snapshot."""
    with connection.cursor() as cursor:
        # All rows are wanted, not the first ones soon.
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, parameters)
        yield from cursor
