"""What a generation costs in credits, from its model's price and rules and the parameters at its start. No I/O.

The base comes first; then each rule that the parameters meet, in order: it adds credits, for each unit of a number or
for an option, or it multiplies what there is so far, by a number or by the factor of an option. The end is rounded to
four places, half up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from generations.controls import CHOICES, NUMBERS, Control, ControlType, Fault, decimal, shown

PLACES = Decimal("0.0001")
MAX_CREDITS = Decimal(1_000_000_000)
MOST_RULES = 50
# What a rule may do, each with what it is given beside the parameter.
PER_UNIT, ADD, TIMES, FACTORS = KINDS = ("per_unit", "add", "times", "factors")


class TooCostly(ValueError):
    """The rules make more credits of the parameters than the ledger can carry."""

    def __init__(self) -> None:
        super().__init__(f"This would cost more than {MAX_CREDITS:,f} credits: the model's price or rules are wrong.")


@dataclass(frozen=True)
class Step:
    """What one rule did: ``credits`` is what there is after it."""

    what: str
    credits: Decimal


@dataclass(frozen=True)
class Cost:
    """Credits, and how they came about."""

    credits: Decimal
    steps: Sequence[Step]

    def snapshot(self) -> dict[str, Any]:
        """As it is kept with a generation; fits JSON."""
        return {
            "credits": f"{self.credits:f}",
            "steps": [{"what": step.what, "credits": f"{step.credits.normalize():f}"} for step in self.steps],
        }


def cost_of(base: Decimal, rules: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> Cost:
    """What a generation with these parameters, defaults included, costs by rules that have no faults.

    Raises TooCostly.
    """
    steps = [Step("per generation", base)]
    for rule in rules:
        value = parameters.get(rule["parameter"])
        if value is None:
            continue
        credits = _applied(rule, value, steps[-1].credits)
        if credits is not None:
            if credits > MAX_CREDITS:
                raise TooCostly
            steps.append(Step(f"{rule['parameter']} {shown(value)}", credits))
    return Cost(steps[-1].credits.quantize(PLACES, ROUND_HALF_UP), steps)


def faults_of_rules(rules: Any, controls: Sequence[Control]) -> list[Fault]:
    """What is wrong with the rules of a model that has these controls."""
    if not isinstance(rules, list):
        return [Fault("", "The rules are a list.")]
    if len(rules) > MOST_RULES:
        return [Fault("", f"There are more than {MOST_RULES} rules.")]
    by_key = {control.key: control for control in controls}
    return [fault for place, rule in enumerate(rules) for fault in _faults(f"/{place}", rule, by_key)]


def _applied(rule: Mapping[str, Any], value: Any, credits: Decimal) -> Decimal | None:
    """What there is after a rule; None if it says nothing of this value."""
    if PER_UNIT in rule:
        return credits + Decimal(rule[PER_UNIT]) * _number(value)
    if TIMES in rule:
        return credits * _number(value)
    table = rule.get(ADD) or rule[FACTORS]
    told = table.get(_name(value))
    if told is None:
        return None
    return credits + Decimal(told) if ADD in rule else credits * Decimal(told)


def _number(value: Any) -> Decimal:
    return Decimal(int(value)) if isinstance(value, bool) else decimal(value)


def _name(value: Any) -> str:
    """An option as the key of a table: JSON has only texts there."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _faults(path: str, rule: Any, controls: Mapping[str, Control]) -> Iterator[Fault]:
    if not isinstance(rule, dict):
        yield Fault(path, "A rule is an object.")
        return
    kinds = [kind for kind in KINDS if kind in rule]
    if len(kinds) != 1 or set(rule) != {"parameter", *kinds}:
        yield Fault(path, f"A rule has “parameter” and one of {', '.join(KINDS)}.")
        return
    control = controls.get(rule["parameter"]) if isinstance(rule["parameter"], str) else None
    if control is None:
        yield Fault(f"{path}/parameter", f"No control has the key {shown(rule['parameter'])}.")
    elif kinds[0] in (PER_UNIT, TIMES):
        yield from _faults_of_numbers(path, kinds[0], rule[kinds[0]], control)
    else:
        yield from _faults_of_table(f"{path}/{kinds[0]}", rule[kinds[0]], control)


def _faults_of_numbers(path: str, kind: str, given: Any, control: Control) -> Iterator[Fault]:
    if control.type not in NUMBERS and not (
        control.type in CHOICES and all(_is_number(o.value) for o in control.options)
    ):
        yield Fault(f"{path}/parameter", f"“{control.key}” is no number.")
    elif _may_be_negative(control):
        yield Fault(f"{path}/parameter", f"“{control.key}” may be below 0, and so would be its cost.")
    if kind == TIMES and given is not True:
        yield Fault(f"{path}/{TIMES}", "It is true: what there is so far, times the parameter.")
    elif kind == PER_UNIT and _amount(given) is None:
        yield Fault(f"{path}/{PER_UNIT}", 'It is an amount of credits as a text, such as "0.5".')


def _faults_of_table(path: str, table: Any, control: Control) -> Iterator[Fault]:
    if control.type == ControlType.SWITCH:
        names = {"true", "false"}
    elif control.type in CHOICES:
        names = {_name(option.value) for option in control.options}
    else:
        yield Fault(path, f"“{control.key}” has no options to list.")
        return
    if not isinstance(table, dict) or not table:
        yield Fault(path, "It lists options with a number each.")
        return
    for name, given in table.items():
        if name not in names:
            yield Fault(f"{path}/{name}", f"“{control.key}” has no such option.")
        elif _amount(given) is None:
            yield Fault(f"{path}/{name}", 'It is a number as a text, such as "1.5".')


def _amount(given: Any) -> Decimal | None:
    if not isinstance(given, str) or not given.isascii() or not given.replace(".", "", 1).isdigit() or len(given) > 20:
        return None
    amount = Decimal(given)
    return amount if amount <= MAX_CREDITS else None


def _may_be_negative(control: Control) -> bool:
    if control.type in CHOICES:
        return any(_is_number(option.value) and option.value < 0 for option in control.options)  # type: ignore[operator]
    return control.min is None or control.min < 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
