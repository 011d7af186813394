"""The chips above a list: one for each thing that narrows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.filters import ListFilter
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList


@dataclass(frozen=True)
class Chip:
    """``remove_url`` is the list without this one."""

    label: str
    value: str
    remove_url: str


def chips(changelist: ChangeList) -> list[Chip]:
    """What narrows the list: the search, each active filter, and lookups that a link brought along."""
    return [*_search(changelist), *_filters(changelist), *_lookups(changelist)]


def _search(changelist: ChangeList) -> Iterator[Chip]:
    if changelist.query:
        yield Chip("Search", changelist.query, changelist.get_query_string({SEARCH_VAR: None}))


def _filters(changelist: ChangeList) -> Iterator[Chip]:
    for spec in changelist.filter_specs:
        names = _active_parameters(changelist, spec)
        if names:
            without = changelist.get_query_string(dict.fromkeys(names))
            yield Chip(str(spec.title), _chosen(changelist, spec), without)


def _lookups(changelist: ChangeList) -> Iterator[Chip]:
    known = {name for spec in changelist.filter_specs for name in spec.expected_parameters()}
    for name, values in changelist.get_filters_params().items():
        if name not in known:
            label = name.removesuffix("__exact").replace("__", " ").replace("_", " ")
            yield Chip(label, ", ".join(values), changelist.get_query_string({name: None}))


def _active_parameters(changelist: ChangeList, spec: ListFilter) -> list[str]:
    present = changelist.get_filters_params()
    return [name for name in spec.expected_parameters() if name and name in present]


def _chosen(changelist: ChangeList, spec: Any) -> str:
    """What is chosen in the filter's own words; a filter without choices says it by ``chip_text``."""
    if hasattr(spec, "chip_text"):
        return str(spec.chip_text())
    chosen = [str(choice["display"]) for choice in spec.choices(changelist) if choice.get("selected")]
    return ", ".join(chosen) or ", ".join(str(value) for value in spec.used_parameters.values())
