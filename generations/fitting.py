"""Whether the parameters of a generation fit the controls of its model. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generations.controls import MOST_FAULTS, Control, Fault


def faults_in(parameters: Mapping[str, Any], controls: Sequence[Control]) -> list[Fault]:
    """What of ``parameters`` the controls do not allow: unknown ones, missing ones, values that are none of theirs.

    null says nothing, as if the parameter were left out.
    """
    return list(_faults(parameters, controls))[:MOST_FAULTS]


def completed(parameters: Mapping[str, Any], controls: Sequence[Control]) -> dict[str, Any]:
    """The parameters with the defaults of what they leave out."""
    defaults = {control.key: control.default for control in controls if control.default is not None}
    return defaults | {key: value for key, value in parameters.items() if value is not None}


def _faults(parameters: Mapping[str, Any], controls: Sequence[Control]) -> Iterator[Fault]:
    known = {control.key for control in controls}
    for key in parameters:
        if key not in known:
            yield Fault(f"/{key}", "The model has no such parameter.")
    for control in controls:
        value = parameters.get(control.key)
        if value is None:
            if control.required and control.default is None:
                yield Fault(f"/{control.key}", "It is missing.")
        elif fault := control.fault_of(value):
            yield Fault(f"/{control.key}", fault)
