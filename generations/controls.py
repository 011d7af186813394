"""The controls of a model: what a product lets its customers set, told by the model's ``parameters_schema``. No I/O.

Their shape is published as ``schemas/controls.schema.json``; what a shape cannot say is checked here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SCHEMA = Path(__file__).parent / "schemas" / "controls.schema.json"
# More faults than somebody mends at once.
MOST_FAULTS = 50
SHOWN_VALUE = 60
# As the schema bounds min and max: beyond it a number of steps could not be reckoned.
LARGEST = Decimal(1_000_000_000)

Value = str | int | float | bool


class ControlType(StrEnum):
    SELECT = "select"
    GRID_SELECT = "grid_select"
    SLIDER = "slider"
    SWITCH = "switch"
    TEXT = "text"
    NUMBER = "number"


CHOICES = (ControlType.SELECT, ControlType.GRID_SELECT)
NUMBERS = (ControlType.SLIDER, ControlType.NUMBER)


@dataclass(frozen=True)
class Fault:
    """What is wrong at ``path``, a JSON pointer such as ``/0/options/1``."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.message}"


@dataclass(frozen=True)
class Option:
    value: str | int | float
    label: str


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control. Bounds and step are of numbers; of a text the bounds are of its length."""

    key: str
    label: str
    type: ControlType
    help: str = ""
    required: bool = False
    default: Value | None = None
    options: tuple[Option, ...] = ()
    min: Decimal | None = None
    max: Decimal | None = None
    step: Decimal | None = None

    def fault_of(self, value: Any) -> str:
        """Why ``value`` is none of this control, in words; empty if it is one."""
        if self.type in CHOICES:
            return self._not_offered(value)
        if self.type in NUMBERS:
            return self._no_number(value)
        if self.type == ControlType.SWITCH:
            return "" if isinstance(value, bool) else "It is true or false."
        return self._no_text(value)

    def _not_offered(self, value: Any) -> str:
        # 1 and true are equal to Python, and two things to JSON.
        if not isinstance(value, bool) and any(option.value == value for option in self.options):
            return ""
        return f"{shown(value)} is none of its options."

    def _no_number(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "It is a number."
        number = decimal(value)
        # Infinity and what is no number at all are not below it either.
        if not (number.is_finite() and abs(number) <= LARGEST):
            return f"It is between -{LARGEST:,f} and {LARGEST:,f}."
        if self.min is not None and number < self.min:
            return f"It is at least {self.min:f}."
        if self.max is not None and number > self.max:
            return f"It is at most {self.max:f}."
        if self.step is not None and (number - (self.min or 0)) % self.step:
            start = f" from {self.min:f} on" if self.min else ""
            return f"It goes in steps of {self.step:f}{start}."
        return ""

    def _no_text(self, value: Any) -> str:
        if not isinstance(value, str) or "\x00" in value:
            return "It is a text."
        if self.min is not None and len(value) < self.min:
            return f"It has at least {self.min:f} characters."
        if self.max is not None and len(value) > self.max:
            return f"It has at most {self.max:f} characters."
        return ""


def faults_of(schema: Any) -> list[Fault]:
    """What is wrong with a schema of controls: of its shape, and if that holds, of what it means."""
    shape = sorted(_validator().iter_errors(schema), key=lambda error: [str(part) for part in error.absolute_path])
    if shape:
        return [_told(error) for error in shape[:MOST_FAULTS]]
    return list(_contradictions(schema))[:MOST_FAULTS]


def read_controls(schema: Sequence[Mapping[str, Any]]) -> list[Control]:
    """The controls of a schema that has no faults."""
    return [_control(each) for each in schema]


def decimal(number: float | int) -> Decimal:
    """As it is written, not as a computer holds it."""
    return Decimal(str(number))


def shown(value: Any) -> str:
    """A foreign value as a message quotes it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_VALUE else text[:SHOWN_VALUE] + "…"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text()))


def _told(error: ValidationError) -> Fault:
    path = "".join(f"/{part}" for part in error.absolute_path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return Fault(path, f"It lacks “{missing}”.")
    rule = error.validator_value
    words = _WORDS.get(str(error.validator), "{message}.")
    if error.validator == "type":
        rule = " or ".join([rule] if isinstance(rule, str) else rule)
    return Fault(path, words.format(message=error.message, value=shown(error.instance), rule=rule))


_WORDS = {
    "additionalProperties": "{message}.",
    "not": "A control of this type has none.",
    "enum": "{message}.",
    "type": "{value} is no {rule}.",
    "pattern": "{value} is no name: a letter, then letters, digits and underscores, at most 64.",
    "minItems": "It has no options.",
    "maxItems": "It has more than {rule}.",
    "minLength": "It is empty.",
    "maxLength": "It has more than {rule} characters.",
    "minimum": "{value} is less than {rule}.",
    "maximum": "{value} is more than {rule}.",
    "anyOf": "{value} is neither a text or number nor a label with its value.",
}


def _contradictions(schema: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, told in enumerate(schema):
        if told["key"] in seen:
            yield Fault(f"/{place}/key", f"Another control has the key {shown(told['key'])} already.")
        seen.add(told["key"])
        control = _control(told)
        faults = [*_of_bounds(place, control), *_of_options(place, control)]
        yield from faults
        # By bounds that contradict each other no value can be judged.
        if control.default is not None and not faults and (fault := control.fault_of(control.default)):
            yield Fault(f"/{place}/default", fault)


def _of_bounds(place: int, control: Control) -> Iterator[Fault]:
    if control.min is None or control.max is None:
        return
    # A text may be of one length; a number of one value needs no control.
    lowest = control.min if control.type == ControlType.TEXT else control.min.next_plus()
    if control.max < lowest:
        yield Fault(f"/{place}/max", f"It is not above min, {control.min:f}.")
    elif control.step is not None and (control.max - control.min) % control.step:
        yield Fault(f"/{place}/step", "Steps from min do not lead to max.")


def _of_options(place: int, control: Control) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, option in enumerate(control.options):
        if str(option.value) in seen:
            yield Fault(f"/{place}/options/{number}", f"{shown(option.value)} is offered twice.")
        seen.add(str(option.value))


def _control(told: Mapping[str, Any]) -> Control:
    return Control(
        key=told["key"],
        label=told["label"],
        type=ControlType(told["type"]),
        help=told.get("help", ""),
        required=told.get("required", False),
        default=told.get("default"),
        options=tuple(_option(option) for option in told.get("options", ())),
        **{name: decimal(told[name]) for name in ("min", "max", "step") if name in told},
    )


def _option(told: Any) -> Option:
    if isinstance(told, dict):
        return Option(told["value"], told["label"])
    return Option(told, str(told))
