"""What a generation costs in credits, and rules that cannot be."""

from decimal import Decimal

import pytest

from generations.controls import read_controls
from generations.costing import TooCostly, cost_of, faults_of_rules

CONTROLS = read_controls(
    [
        {"key": "seconds", "label": "Seconds", "type": "slider", "min": 1, "max": 10, "default": 5},
        {"key": "size", "label": "Size", "type": "select", "options": ["720p", "1080p", 4]},
        {"key": "hd", "label": "HD", "type": "switch"},
        {"key": "count", "label": "Images", "type": "select", "options": [1, 2, 4]},
        {"key": "offset", "label": "Offset", "type": "number", "min": -5, "max": 5},
        {"key": "seed", "label": "Seed", "type": "number"},
        {"key": "shift", "label": "Shift", "type": "select", "options": [-1, 0, 1]},
        {"key": "negative", "label": "Leave out", "type": "text"},
    ]
)


@pytest.mark.parametrize(
    ("rules", "parameters", "credits"),
    [
        ([], {}, "2"),
        ([{"parameter": "seconds", "per_unit": "1.5"}], {"seconds": 4}, "8"),
        ([{"parameter": "seconds", "per_unit": "1.5"}], {}, "2"),
        ([{"parameter": "seconds", "per_unit": "0.3"}], {"seconds": 0.1}, "2.03"),
        ([{"parameter": "size", "add": {"1080p": "3"}}], {"size": "1080p"}, "5"),
        ([{"parameter": "size", "add": {"1080p": "3"}}], {"size": "720p"}, "2"),
        ([{"parameter": "size", "add": {"4": "10"}}], {"size": 4}, "12"),
        ([{"parameter": "hd", "factors": {"true": "1.5"}}], {"hd": True}, "3"),
        ([{"parameter": "hd", "factors": {"true": "1.5"}}], {"hd": False}, "2"),
        ([{"parameter": "count", "times": True}], {"count": 4}, "8"),
        ([{"parameter": "hd", "factors": {"true": "0"}}], {"hd": True}, "0"),
        # In their order: what is added before is multiplied, what comes later is not.
        (
            [
                {"parameter": "seconds", "per_unit": "1"},
                {"parameter": "count", "times": True},
                {"parameter": "size", "add": {"1080p": "1"}},
            ],
            {"seconds": 3, "count": 2, "size": "1080p"},
            "11",
        ),
        # Half a ten-thousandth goes up.
        ([{"parameter": "hd", "factors": {"true": "0.000025"}}], {"hd": True}, "0.0001"),
    ],
)
def test_rules_apply_in_their_order_to_what_the_parameters_say(rules, parameters, credits):
    assert faults_of_rules(rules, CONTROLS) == []
    assert cost_of(Decimal(2), rules, parameters).credits == Decimal(credits)


def test_how_it_came_about_is_kept():
    rules = [{"parameter": "seconds", "per_unit": "1.5"}, {"parameter": "hd", "factors": {"true": "2"}}]
    cost = cost_of(Decimal("2.0000"), rules, {"seconds": 4, "hd": True})
    assert cost.snapshot() == {
        "credits": "16.0000",
        "steps": [
            {"what": "per generation", "credits": "2"},
            {"what": "seconds 4", "credits": "8"},
            {"what": "hd true", "credits": "16"},
        ],
    }


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ({}, "/: The rules are a list."),
        (["x"], "/0: A rule is an object."),
        ([{"parameter": "seconds"}], "/0: A rule has “parameter” and one of per_unit, add, times, factors."),
        ([{"parameter": "seconds", "per_unit": "1", "times": True}], "/0: A rule has"),
        ([{"parameter": "depth", "per_unit": "1"}], '/0/parameter: No control has the key "depth".'),
        ([{"parameter": ["seconds"], "per_unit": "1"}], "/0/parameter: No control has the key"),
        ([{"parameter": "negative", "per_unit": "1"}], "/0/parameter: “negative” is no number."),
        ([{"parameter": "size", "times": True}], "/0/parameter: “size” is no number."),
        ([{"parameter": "offset", "times": True}], "/0/parameter: “offset” may be below 0"),
        ([{"parameter": "seed", "per_unit": "1"}], "/0/parameter: “seed” may be below 0"),
        ([{"parameter": "shift", "times": True}], "/0/parameter: “shift” may be below 0"),
        ([{"parameter": "count", "times": "2"}], "/0/times: It is true"),
        ([{"parameter": "seconds", "per_unit": 1}], "/0/per_unit: It is an amount of credits as a text"),
        ([{"parameter": "seconds", "per_unit": "-1"}], "/0/per_unit: It is an amount"),
        ([{"parameter": "seconds", "per_unit": "NaN"}], "/0/per_unit: It is an amount"),
        ([{"parameter": "seconds", "per_unit": "１"}], "/0/per_unit: It is an amount"),
        ([{"parameter": "seconds", "per_unit": "9999999999"}], "/0/per_unit: It is an amount"),
        ([{"parameter": "seconds", "add": {"5": "1"}}], "/0/add: “seconds” has no options to list."),
        ([{"parameter": "size", "add": {}}], "/0/add: It lists options with a number each."),
        ([{"parameter": "size", "add": {"480p": "1"}}], "/0/add/480p: “size” has no such option."),
        ([{"parameter": "hd", "factors": {"yes": "1"}}], "/0/factors/yes: “hd” has no such option."),
        ([{"parameter": "hd", "factors": {"true": "1e3"}}], "/0/factors/true: It is a number as a text"),
        ([{"parameter": "seconds", "per_unit": "1"}] * 51, "/: There are more than 50 rules."),
    ],
)
def test_rules_that_cannot_be_are_told_with_their_place(rules, fault):
    (found,) = faults_of_rules(rules, CONTROLS)
    assert str(found).startswith(fault)


def test_more_than_the_ledger_can_carry_is_refused_however_many_rules_multiply():
    rules = [{"parameter": "seconds", "per_unit": "100000000"}, *[{"parameter": "count", "times": True}] * 49]
    assert faults_of_rules(rules, CONTROLS) == []
    with pytest.raises(TooCostly):
        cost_of(Decimal(1), rules, {"seconds": 10, "count": 4})
