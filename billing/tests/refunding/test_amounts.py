"""Amounts in Stripe's units and ours, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import NotRefundable, Parked
from billing.stripe_amounts import minor_units, stripe_units


@pytest.mark.parametrize(
    ("minor", "currency", "theirs"),
    [
        (1234, "USD", 1234),
        (500, "JPY", 500),
        (1230, "KWD", 1230),
        # ISO gives these no decimals, Stripe writes two.
        (500, "ISK", 50000),
        (3700, "UGX", 370000),
        # And these the other way round.
        (500, "MGA", 5),
        (1230, "IQD", 123),
    ],
)
def test_our_minor_units_become_stripes(minor, currency, theirs):
    assert stripe_units(minor, currency) == theirs
    assert minor_units(theirs, currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "step"), [(1, "KWD", "0.010"), (1234, "BHD", "0.010"), (550, "MGA", "1"), (1, "IQD", "0.01")]
)
def test_what_stripe_cannot_move_is_refused_with_the_step_it_moves_in(minor, currency, step):
    with pytest.raises(NotRefundable, match=f"{currency} in steps of {step}\\."):
        stripe_units(minor, currency)


@given(st.integers(1, 10**12), st.sampled_from(["USD", "JPY", "KWD", "ISK", "UGX", "MGA", "IQD", "CLF"]))
def test_what_stripe_was_paid_can_be_given_back(theirs, currency):
    try:
        ours = minor_units(theirs, currency)
    except Parked:
        return
    try:
        assert stripe_units(ours, currency) == theirs
    except NotRefundable:
        assert currency == "KWD"
        assert theirs % 10
