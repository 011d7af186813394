"""Parameters of a generation beside the controls of its model."""

import pytest

from generations.controls import read_controls
from generations.fitting import completed, faults_in

CONTROLS = read_controls(
    [
        {"key": "style", "label": "Style", "type": "select", "options": ["photo", "oil"], "required": True},
        {"key": "seconds", "label": "Seconds", "type": "slider", "min": 1, "max": 10, "default": 5, "required": True},
        {"key": "hd", "label": "HD", "type": "switch"},
    ]
)


@pytest.mark.parametrize(
    ("parameters", "faults"),
    [
        ({"style": "oil"}, []),
        ({"style": "oil", "seconds": 3, "hd": True}, []),
        ({"style": "oil", "hd": None}, []),
        ({}, ["/style: It is missing."]),
        ({"style": None}, ["/style: It is missing."]),
        ({"style": "oil", "colour": "red"}, ["/colour: The model has no such parameter."]),
        (
            {"style": "ink", "seconds": 11, "hd": "yes"},
            ['/style: "ink" is none of its options.', "/seconds: It is at most 10.", "/hd: It is true or false."],
        ),
    ],
)
def test_what_does_not_fit_is_told_for_each_parameter(parameters, faults):
    assert [str(fault) for fault in faults_in(parameters, CONTROLS)] == faults


def test_what_is_left_out_or_null_has_its_default():
    assert completed({"style": "oil", "seconds": None}, CONTROLS) == {"style": "oil", "seconds": 5}
    assert completed({"seconds": 3}, CONTROLS) == {"seconds": 3}
