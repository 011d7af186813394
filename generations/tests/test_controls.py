"""Schemas of controls: what is wrong with one is told with its place, and what a control takes is told in words."""

import json

import pytest
from jsonschema import Draft202012Validator

from generations.controls import MOST_FAULTS, SCHEMA, Control, ControlType, faults_of, read_controls

SELECT = {"key": "style", "label": "Style", "type": "select", "options": ["photo", {"label": "Oil", "value": "oil"}]}
SLIDER = {"key": "steps", "label": "Steps", "type": "slider", "min": 10, "max": 50, "step": 5, "default": 20}
NUMBER = {"key": "seed", "label": "Seed", "type": "number"}
SWITCH = {"key": "hd", "label": "HD", "type": "switch", "default": False}
TEXT = {"key": "negative", "label": "Leave out", "type": "text", "max": 5}
GRID = {"key": "ratio", "label": "Ratio", "type": "grid_select", "options": ["1:1", "16:9"], "default": "1:1"}
EVERY_TYPE = [SELECT, SLIDER, NUMBER, SWITCH, TEXT, GRID]


def told(schema):
    return [str(fault) for fault in faults_of(schema)]


def test_controls_of_every_type_are_read_with_what_they_say():
    assert faults_of(EVERY_TYPE) == []
    controls = {control.key: control for control in read_controls(EVERY_TYPE)}
    assert {control.type for control in controls.values()} == set(ControlType)
    assert [(option.value, option.label) for option in controls["style"].options] == [
        ("photo", "photo"),
        ("oil", "Oil"),
    ]
    steps = controls["steps"]
    assert (steps.min, steps.max, steps.step, steps.default) == (10, 50, 5, 20)


def test_no_controls_are_fine():
    assert faults_of([]) == []


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({}, "/: {} is no array."),
        (["x"], '/0: "x" is no object.'),
        ([{"label": "A", "type": "text"}], "/0: It lacks “key”."),
        (
            [TEXT | {"key": "1st"}],
            '/0/key: "1st" is no name: a letter, then letters, digits and underscores, at most 64.',
        ),
        ([TEXT | {"label": ""}], "/0/label: It is empty."),
        ([TEXT | {"type": "knob"}], "/0/type"),
        ([TEXT | {"colour": "red"}], "/0: Additional properties are not allowed ('colour' was unexpected)."),
        ([TEXT | {"options": ["a"]}], "/0/options: A control of this type has none."),
        ([TEXT | {"step": 1}], "/0/step: A control of this type has none."),
        ([TEXT | {"max": 2.5}], "/0/max: 2.5 is no integer."),
        ([SELECT | {"options": []}], "/0/options: It has no options."),
        ([{"key": "a", "label": "A", "type": "select"}], "/0: It lacks “options”."),
        ([SELECT | {"options": [{"label": "A"}]}], "/0/options/0"),
        ([SELECT | {"min": 1}], "/0/min: A control of this type has none."),
        ([{"key": "a", "label": "A", "type": "slider", "min": 1}], "/0: It lacks “max”."),
        ([SLIDER | {"step": 0}], "/0/step: 0 is less than 1e-06."),
        ([SLIDER | {"default": "20"}], '/0/default: "20" is no number.'),
        ([SWITCH | {"default": "yes"}], '/0/default: "yes" is no boolean.'),
        ([NUMBER | {"max": 10**10}], "/0/max: 10000000000 is more than 1000000000."),
    ],
)
def test_a_wrong_shape_is_told_with_its_place(schema, fault):
    assert any(line.startswith(fault) for line in told(schema)), told(schema)


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ([TEXT, NUMBER | {"key": "negative"}], '/1/key: Another control has the key "negative" already.'),
        ([SLIDER | {"min": 50}], "/0/max: It is not above min, 50."),
        ([SLIDER | {"step": 7}], "/0/step: Steps from min do not lead to max."),
        ([SLIDER | {"step": 100}], "/0/step: Steps from min do not lead to max."),
        ([SLIDER | {"default": 60}], "/0/default: It is at most 50."),
        ([SLIDER | {"default": 12}], "/0/default: It goes in steps of 5 from 10 on."),
        ([SELECT | {"options": ["a", "b", "a"]}], '/0/options/2: "a" is offered twice.'),
        ([SELECT | {"options": [1, "1"]}], '/0/options/1: "1" is offered twice.'),
        ([SELECT | {"default": "water"}], '/0/default: "water" is none of its options.'),
        ([TEXT | {"default": "too long"}], "/0/default: It has at most 5 characters."),
    ],
)
def test_what_contradicts_itself_is_told_with_its_place(schema, fault):
    assert told(schema) == [fault]


def test_steps_are_reckoned_as_they_are_written():
    assert faults_of([SLIDER | {"min": 0, "max": 0.3, "step": 0.1, "default": 0.2}]) == []


def test_no_more_faults_are_told_than_somebody_mends_at_once():
    assert len(faults_of([TEXT] * 100)) == MOST_FAULTS


def of(told):
    (control,) = read_controls([told])
    assert isinstance(control, Control)
    return control


@pytest.mark.parametrize(
    ("control", "value", "fault"),
    [
        (SELECT, "photo", ""),
        (SELECT, "oil", ""),
        (SELECT, "Oil", '"Oil" is none of its options.'),
        (SELECT, ["photo"], '["photo"] is none of its options.'),
        (SELECT | {"options": [1, 0]}, True, "true is none of its options."),
        (SELECT | {"options": [0.5]}, 0.5, ""),
        (SLIDER, 10, ""),
        (SLIDER, 15.0, ""),
        (SLIDER, 11, "It goes in steps of 5 from 10 on."),
        (SLIDER, 5, "It is at least 10."),
        (SLIDER, True, "It is a number."),
        (SLIDER, "20", "It is a number."),
        (NUMBER, -3.25, ""),
        (NUMBER, None, "It is a number."),
        (NUMBER | {"step": 0.1}, 1e300, "It is between -1,000,000,000 and 1,000,000,000."),
        (NUMBER | {"step": 0.1}, 10**400, "It is between -1,000,000,000 and 1,000,000,000."),
        (NUMBER, float("inf"), "It is between -1,000,000,000 and 1,000,000,000."),
        (NUMBER, float("nan"), "It is between -1,000,000,000 and 1,000,000,000."),
        (SWITCH, True, ""),
        (SWITCH, 1, "It is true or false."),
        (TEXT, "", ""),
        (TEXT, "fives", ""),
        (TEXT, "sixsix", "It has at most 5 characters."),
        (TEXT | {"min": 2}, "a", "It has at least 2 characters."),
        (TEXT, "a\x00", "It is a text."),
        (TEXT, 5, "It is a text."),
    ],
)
def test_a_control_takes_its_own_values_alone(control, value, fault):
    assert of(control).fault_of(value) == fault


def test_a_long_value_is_quoted_shortened():
    assert len(of(SELECT).fault_of("x" * 5000)) < 100


def test_the_published_contract_is_a_schema_of_2020_12():
    contract = json.loads(SCHEMA.read_text())
    assert contract["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(contract)
