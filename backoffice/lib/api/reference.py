"""The OpenAPI description laid out for a page: what people read, from what programs read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Node = Mapping[str, Any]
# Runs of plain text and of code, which stands between backticks.
Paragraph = list[tuple[str, bool]]
SHOWN_CHOICES = 12


@dataclass(frozen=True)
class Field:
    """A value that is sent or answered. ``level`` says how deep it lies in its body."""

    name: str
    kind: str
    is_required: bool
    note: str
    level: int = 0


@dataclass(frozen=True)
class Answer:
    status: str
    means: str
    fields: list[Field]


@dataclass(frozen=True)
class Operation:
    key: str
    method: str
    path: str
    summary: str
    description: list[Paragraph]
    needs: str
    parameters: list[Field]
    body: list[Field]
    successes: list[Answer]
    failures: list[Answer]


@dataclass(frozen=True)
class Group:
    name: str
    operations: list[Operation]


@dataclass(frozen=True)
class Reference:
    title: str
    description: list[Paragraph]
    groups: list[Group]


def reference_of(openapi: Node) -> Reference:
    """The page's content for an OpenAPI 3.1 description."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in openapi["paths"].items():
        for method, node in methods.items():
            group = groups.setdefault((node.get("tags") or ["Other"])[0], [])
            group.append(_operation(openapi, method, path, node))
    info = openapi["info"]
    return Reference(info["title"], _paragraphs(info["description"]), [Group(*group) for group in groups.items()])


def _operation(openapi: Node, method: str, path: str, node: Node) -> Operation:
    answers = [_answer(openapi, str(status), answer) for status, answer in node["responses"].items()]
    return Operation(
        key=node["operationId"],
        method=method.upper(),
        path=path,
        summary=node["summary"],
        description=_paragraphs(node.get("description", "")),
        needs=", ".join(_needed(openapi, name) for entry in node.get("security", ()) for name in entry),
        parameters=[_parameter(openapi, parameter) for parameter in node["parameters"]],
        body=list(_fields(openapi, _schema(node.get("requestBody", {})))),
        successes=[answer for answer in answers if answer.status < "400"],
        failures=[answer for answer in answers if answer.status >= "400"],
    )


def _needed(openapi: Node, name: str) -> str:
    """What a caller must bring, in the words of the security scheme."""
    return str(openapi["components"]["securitySchemes"][name].get("description") or name)


def _paragraphs(text: str) -> list[Paragraph]:
    return [_runs(" ".join(paragraph.split())) for paragraph in text.split("\n\n") if paragraph.strip()]


def _runs(text: str) -> Paragraph:
    return [(run, index % 2 == 1) for index, run in enumerate(text.split("`")) if run]


def _parameter(openapi: Node, node: Node) -> Field:
    return Field(node["name"], f"{node['in']}, {_kind(openapi, node['schema'])}", node["required"], _note(node))


def _answer(openapi: Node, status: str, node: Node) -> Answer:
    fields = list(_fields(openapi, _schema(node))) if status < "400" else []
    return Answer(status, node["description"], fields)


def _schema(node: Node) -> Node:
    content: Node = node.get("content", {}).get("application/json", {})
    schema: Node = content.get("schema", {})
    return schema


def _fields(openapi: Node, schema: Node, level: int = 0, seen: tuple[str, ...] = ()) -> Iterator[Field]:
    schema, seen = _resolved(openapi, schema, seen)
    for name, node in schema.get("properties", {}).items():
        yield Field(name, _kind(openapi, node), name in schema.get("required", ()), _note(node), level)
        for inner in _inside(node):
            yield from _fields(openapi, inner, level + 1, seen)


def _inside(node: Node) -> list[Node]:
    """The schemas whose own fields are shown below a field."""
    if "items" in node:
        return [node["items"]]
    return [option for option in (node, *node.get("anyOf", ())) if "$ref" in option]


def _resolved(openapi: Node, schema: Node, seen: tuple[str, ...]) -> tuple[Node, tuple[str, ...]]:
    reference = schema.get("$ref", "")
    if not reference:
        return schema, seen
    # A type that holds itself is shown once.
    if reference in seen:
        return {}, seen
    target: Node = openapi["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return target, (*seen, reference)


def _kind(openapi: Node, node: Node) -> str:
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(_kind(openapi, option) for option in node["anyOf"]))
    if "$ref" in node:
        return _kind(openapi, _resolved(openapi, node, ())[0])
    if "enum" in node and len(node["enum"]) <= SHOWN_CHOICES:
        return " | ".join(map(str, node["enum"]))
    if node.get("type") == "array":
        return f"list of {_kind(openapi, node.get('items', {}))}"
    return str(node.get("format") or node.get("type") or "any JSON")


def _note(node: Node) -> str:
    limits = (
        (words, node.get(name, node.get("schema", {}).get(name)))
        for name, words in (
            ("maxLength", "at most {} characters"),
            ("maxItems", "at most {} items"),
            ("minimum", "from {}"),
            ("maximum", "to {}"),
        )
    )
    notes = [words.format(value) for words, value in limits if value is not None]
    notes += [note for option in node.get("anyOf", ()) if (note := _note(option))]
    return ", ".join(dict.fromkeys([*filter(None, [node.get("description", "").rstrip(".")]), *notes]))
