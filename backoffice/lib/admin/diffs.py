"""What changed, value by value: as a table on a page of its own, and in a line for a list."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.lib.admin.display import absent, badge, link

State = Literal["added", "removed", "changed", "same"]

# A text above this is folded, a list of more lines that did not change too.
LONG_TEXT, LONG_LIST = 200, 8
SUMMED_UP, SUMMED_LENGTH = 2, 40
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_MISSING = object()
_TONES: dict[str, Any] = {"added": "ok", "removed": "bad", "changed": "info"}


@dataclass(frozen=True)
class Difference:
    """One value before and after; ``path`` leads to it through nested ones."""

    path: tuple[str, ...]
    old: Any
    new: Any

    @property
    def state(self) -> State:
        if self.old is _MISSING:
            return "added"
        if self.new is _MISSING:
            return "removed"
        return "same" if self.old == self.new else "changed"


def diff(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, links: Mapping[str, str] | None = None
) -> SafeString:
    """A row for each value, nested ones by their path, with what it was and what it became; none for nothing.

    ``links`` gives the address behind the value of a name.
    """
    found = [
        each for each in _differences((), old or {}, new or {}) if not (_is_empty(each.old) and _is_empty(each.new))
    ]
    if not found:
        return absent()
    had_values = any(each.old is not _MISSING for each in found)
    rows = format_html_join("", "{}", ((_row(each, had_values, links or {}),) for each in found))
    before = SafeString('<th scope="col">Before</th>') if had_values else ""
    return format_html(
        '<table class="diff"><thead><tr><th scope="col">Field</th>{}<th scope="col">{}</th></tr></thead>'
        "<tbody>{}</tbody></table>",
        before,
        "After" if had_values else "Value",
        rows,
    )


def summary(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> SafeString:
    """The first changes, a line each, for a list."""
    found = [each for each in _differences((), old or {}, new or {}) if _is_worth_a_line(each)]
    more = len(found) - SUMMED_UP
    rest = ["", f"and {more} more"] if more > 0 else [""] * SUMMED_UP
    lines = format_html_join(
        "",
        '<div class="change-line"><span>{}</span> {} <span>{}</span></div>',
        ((_name(each), _short(each), also) for each, also in zip(found, rest, strict=False)),
    )
    return lines or absent()


def _is_worth_a_line(each: Difference) -> bool:
    return each.state != "same" and not (each.state == "added" and _is_empty(each.new))


def _is_empty(value: Any) -> bool:
    return value is _MISSING or value in (None, "", [])


def _differences(path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key, _MISSING), new.get(key, _MISSING)
        if _is_nested(before, after):
            yield from _differences((*path, key), _inside(before), _inside(after))
        else:
            yield Difference((*path, key), before, after)


def _is_nested(before: Any, after: Any) -> bool:
    sides = [side for side in (before, after) if side is not _MISSING]
    return all(isinstance(side, Mapping) and side for side in sides)


def _inside(side: Any) -> Mapping[str, Any]:
    return {} if side is _MISSING else side


def _row(each: Difference, had_values: bool, links: Mapping[str, str]) -> SafeString:
    state = each.state
    mark = badge(state, _TONES[state]) if had_values and state in _TONES else ""
    address = links.get(each.path[-1], "") if len(each.path) == 1 else ""
    before = format_html('<td class="old">{}</td>', _value(each.old, each.new, "gone", address)) if had_values else ""
    return format_html(
        '<tr class="{}"><th scope="row">{} {}</th>{}<td class="new">{}</td></tr>',
        state,
        _name(each),
        mark,
        before,
        _value(each.new, each.old, "come", address),
    )


def _name(each: Difference) -> str:
    return " / ".join(part.replace("_", " ") for part in each.path)


def _value(value: Any, other: Any, css_class: str, address: str) -> SafeString:
    if value is _MISSING:
        return absent()
    if isinstance(value, list) and value:
        return _list(value, other if isinstance(other, list) else [], css_class)
    text = _text(value)
    if address:
        return link(address, text)
    if not text:
        return absent("empty")
    if len(text) > LONG_TEXT:
        return format_html("<details><summary>{}…</summary>{}</details>", text[: LONG_TEXT // 2], text)
    return format_html("{}", text)


def _list(items: list[Any], others: list[Any], css_class: str) -> SafeString:
    """A line for each item, those marked that the other side does not have, those folded that both have."""
    theirs = {_text(other) for other in others}
    own = [_text(item) for item in items if _text(item) not in theirs]
    shared = [_text(item) for item in items if _text(item) in theirs]
    marked = format_html_join("", '<li class="{}">{}</li>', ((css_class, text) for text in own))
    plain = format_html_join("", "<li>{}</li>", ((text,) for text in shared))
    if len(shared) > LONG_LIST:
        folded = "<ul>{}</ul><details><summary>{} unchanged</summary><ul>{}</ul></details>"
        return format_html(folded, marked, len(shared), plain)
    return format_html("<ul>{}{}</ul>", marked, plain)


def _short(each: Difference) -> SafeString:
    if isinstance(each.old, list) or isinstance(each.new, list):
        return _count(each)
    after = _clipped(each.new)
    if each.state == "added":
        return after
    return format_html("{} → {}", _clipped(each.old), after)


def _count(each: Difference) -> SafeString:
    before, after = (
        {_text(item) for item in side} if isinstance(side, list) else set() for side in (each.old, each.new)
    )
    counts = [f"+{len(after - before)}" if after - before else "", f"-{len(before - after)}" if before - after else ""]
    return format_html("{}", " ".join(filter(None, counts)) or "reordered")


def _clipped(value: Any) -> SafeString:
    if value is _MISSING or value in (None, ""):
        return absent()
    text = _text(value)
    return format_html("{}", text if len(text) <= SUMMED_LENGTH else text[: SUMMED_LENGTH - 1] + "…")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return f"{value[:10]} {value[11:19]} UTC" if MOMENT.fullmatch(value) else value
